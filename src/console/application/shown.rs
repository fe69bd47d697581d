//! The end of both windows that make a secret: the key, shown once; or, for a repeated submit, that it was.

use super::back::Back;
use super::list::{self, List};
use crate::actions::shown_key::ShownKey;
use crate::app::App;
use crate::console::answer;
use crate::console::effect;
use crate::console::frame::{Frame, Section};
use crate::console::session::SignedIn;
use crate::console::snippet::{self, Snippet};
use crate::console::when::When;
use crate::http::problem::Problem;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

/// The key, shown once. Its answer is `no-store`, and nothing can render it again.
#[derive(Template)]
#[template(path = "application/shown.html")]
pub(crate) struct ShownPage<'a> {
    pub(crate) frame: Frame,
    pub(crate) list: List,
    pub(crate) title: &'static str,
    /// What has been made, up to the application's name.
    pub(crate) intro: &'static str,
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: &'a str,
    /// Until when the secret before it works too.
    pub(crate) old_secret: Option<When>,
    /// With placeholders: a script fills them in from the fields.
    pub(crate) snippets: Vec<Snippet>,
}

/// A form that was sent twice: nothing was made the second time, and there is no secret to show.
#[derive(Template)]
#[template(path = "application/already_made.html")]
pub(crate) struct AlreadyMadePage {
    pub(crate) frame: Frame,
    pub(crate) list: List,
    pub(crate) title: &'static str,
    /// What the first submit did.
    pub(crate) what: &'static str,
}

/// Shows a new key. Called with what an action has just made, once.
pub(crate) async fn show(
    app: &App,
    signed_in: &SignedIn,
    title: &'static str,
    intro: &'static str,
    key: &ShownKey,
    back: Back,
) -> Result<Response, Problem> {
    // The key is made: it is shown even if the list behind the window can't be read now.
    let list = list::behind_window(app, signed_in, back.clone()).await;
    let list = list.unwrap_or_else(|_| List { back, ..List::default() });
    let page = ShownPage {
        frame: Frame { effect: effect::of_change_just_made(app).await, ..signed_in.frame(Section::Applications) },
        list,
        title,
        intro,
        name: key.name.clone(),
        client_id: key.client_id.to_string(),
        client_secret: key.client_secret.expose(),
        old_secret: key.old_secret_ends_at.map(When::new),
        snippets: snippet::all(app.config.public_url.as_str()),
    };
    Ok(answer::page(StatusCode::OK, &page))
}

/// Says that a form was sent before.
pub(crate) async fn already(
    app: &App,
    signed_in: &SignedIn,
    title: &'static str,
    what: &'static str,
    back: Back,
) -> Result<Response, Problem> {
    let list = list::behind_window(app, signed_in, back).await?;
    let page = AlreadyMadePage { frame: signed_in.frame(Section::Applications), list, title, what };
    Ok(answer::page(StatusCode::CONFLICT, &page))
}

#[cfg(test)]
mod tests {
    use super::super::{new, regenerate};
    use super::*;
    use crate::console::frame::Section;

    #[test]
    fn the_key_stands_in_read_only_fields_named_exactly() {
        let page = ShownPage {
            frame: Frame::sample(Section::Applications),
            list: List::sample(),
            title: new::TITLE,
            intro: "This is the API key of",
            name: "<script>alert(1)</script>".into(),
            client_id: "gh_0123456789abcdefghijAB".into(),
            client_secret: "ghs_sample",
            old_secret: None,
            snippets: snippet::all("https://hub.example"),
        };
        let html = page.render().expect("renders");
        assert!(!html.contains("<script>alert"));
        assert!(html.contains("<label for=\"client_id\">client_id</label>"));
        assert!(html.contains("<label for=\"client_secret\">client_secret</label>"));
        assert_eq!(html.matches("ghs_sample").count(), 1);
        assert!(html.contains("id=\"window-title\">New API Key</h2>"));
        assert!(html.contains("data-window=\"secret\""));
    }

    #[test]
    fn a_repetition_shows_no_field() {
        let page = AlreadyMadePage {
            frame: Frame::sample(Section::Applications),
            list: List::sample(),
            title: regenerate::TITLE,
            what: "the API key was regenerated",
        };
        let html = page.render().expect("renders");
        assert!(!html.contains("client_secret</label>"));
        assert!(html.contains("id=\"window-title\">Regenerate API key</h2>"));
    }
}
