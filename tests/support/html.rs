//! Reads the hub's own pages: forms by the words that a person sees, so that tests do not know field names.

use super::wire::{Answer, Request};

/// One tag with its attributes, and where it ends in the text.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    end: usize,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A field of a form, with the words that label it.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub value: String,
    pub kind: String,
    pub label: String,
    pub read_only: bool,
    sent: bool,
}

/// A form on a page.
#[derive(Clone, Debug)]
pub struct Form {
    pub action: String,
    pub method: String,
    pub fields: Vec<Field>,
    /// Text, name, value and own action of each button.
    pub buttons: Vec<(String, String, String, Option<String>)>,
}

impl Form {
    /// Fills the text field with that label.
    #[must_use]
    #[track_caller]
    pub fn fill(mut self, label: &str, value: &str) -> Self {
        let labels: Vec<_> = self.fields.iter().map(|field| field.label.clone()).collect();
        let field = self.fields.iter_mut().find(|field| field.label == label);
        let field = field.unwrap_or_else(|| panic!("no field labelled {label}, only {labels:?}"));
        value.clone_into(&mut field.value);
        field.sent = true;
        self
    }

    /// Ticks the box (or the one of a row of buttons) with that label.
    #[must_use]
    #[track_caller]
    pub fn tick(mut self, label: &str) -> Self {
        let labels: Vec<_> = self.fields.iter().map(|field| field.label.clone()).collect();
        let field = self.fields.iter_mut().find(|field| field.label.split('\n').next() == Some(label));
        let field = field.unwrap_or_else(|| panic!("no box labelled {label}, only {labels:?}"));
        field.sent = true;
        self
    }

    /// Overwrites a hidden field.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            value.clone_into(&mut field.value);
        }
        self
    }

    /// Takes a field away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|field| field.name != name);
        self
    }

    /// The request that pressing the button makes. The page's own address stands in for an empty action.
    #[track_caller]
    pub fn press(&self, button: &str, page: &str) -> Request {
        let texts: Vec<_> = self.buttons.iter().map(|(text, ..)| text.clone()).collect();
        let pressed = self.buttons.iter().find(|(text, ..)| text == button);
        let (_, name, value, own) = pressed.unwrap_or_else(|| panic!("no button {button}, only {texts:?}"));
        let mut pairs: Vec<(&str, &str)> =
            self.fields.iter().filter(|f| f.sent && !f.name.is_empty()).map(|f| (&*f.name, &*f.value)).collect();
        if !name.is_empty() {
            pairs.push((name, value));
        }
        let action = own.as_deref().unwrap_or(&self.action);
        let action = if action.is_empty() { page } else { action };
        if self.method == "post" {
            return Request::post(action).form(&pairs);
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs);
        let query = query.finish();
        let path = action.split('?').next().unwrap_or_default();
        Request::get(&if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") })
    }
}

/// All forms of a page.
pub fn forms(page: &Answer) -> Vec<Form> {
    let text = page.text();
    let tags = tags(&text);
    let labels = labels(&text, &tags);
    let mut found: Vec<Form> = Vec::new();
    let mut open = false;
    let mut names: Vec<(usize, String)> = Vec::new();
    for (at, tag) in tags.iter().enumerate() {
        let get = |name: &str| tag.get(name).unwrap_or_default().to_owned();
        match tag.name.as_str() {
            "form" => {
                open = true;
                let method = tag.get("method").unwrap_or("get").to_ascii_lowercase();
                found.push(Form { action: get("action"), method, fields: Vec::new(), buttons: Vec::new() });
                if let Some(id) = tag.get("id") {
                    names.push((found.len() - 1, id.to_owned()));
                }
            }
            "/form" => open = false,
            "input" | "textarea" | "select" | "button" => {
                let owner = match tag.get("form") {
                    Some(id) => names.iter().find(|(_, name)| name == id).map(|(index, _)| *index),
                    None if open => Some(found.len() - 1),
                    None => None,
                };
                let Some(form) = owner.and_then(|index| found.get_mut(index)) else { continue };
                let kind = tag.get("type").unwrap_or("text").to_ascii_lowercase();
                if tag.name == "button" {
                    if tag.get("type") != Some("button") {
                        let own = tag.get("formaction").map(str::to_owned);
                        form.buttons.push((inner_text(&text, &tags, at), get("name"), get("value"), own));
                    }
                    continue;
                }
                let choice = kind == "checkbox" || kind == "radio";
                let sent = !choice || tag.get("checked").is_some();
                let label = tag.get("aria-label").map_or_else(|| labels(at), str::to_owned);
                let value = tag.get("value").unwrap_or(if choice { "on" } else { "" }).to_owned();
                let value = if tag.name == "textarea" { inner_text(&text, &tags, at) } else { value };
                let read_only = tag.get("readonly").is_some();
                form.fields.push(Field { name: get("name"), value, kind, label, read_only, sent });
            }
            _ => {}
        }
    }
    found
}

/// The form that has this button.
#[track_caller]
pub fn form_with(page: &Answer, button: &str) -> Form {
    let all = forms(page);
    let found = all.iter().find(|form| form.buttons.iter().any(|(text, ..)| text == button));
    found.cloned().unwrap_or_else(|| panic!("no form with a button {button}: {:#?}\n{}", all, page.text()))
}

/// The value of the read-only field with that accessible name, wherever it stands on the page.
pub fn shown(page: &Answer, name: &str) -> Option<String> {
    let text = page.text();
    let tags = tags(&text);
    let labels = labels(&text, &tags);
    let field = tags.iter().enumerate().find(|(at, tag)| {
        tag.name == "input"
            && tag.get("readonly").is_some()
            && tag.get("aria-label").map_or_else(|| labels(*at), str::to_owned) == name
    });
    field.and_then(|(_, tag)| tag.get("value").map(str::to_owned))
}

/// Finds the words of a field's label: by `for`, by `aria-labelledby`, or by standing inside it.
fn labels<'a>(text: &'a str, tags: &'a [Tag]) -> impl Fn(usize) -> String + 'a {
    move |at| {
        let tag = &tags[at];
        let id = tag.get("id");
        let by_for = |label: &Tag| label.name == "label" && id.is_some() && label.get("for") == id;
        if let Some(index) = tags.iter().position(by_for) {
            return inner_text(text, tags, index);
        }
        if let Some(other) = tag.get("aria-labelledby")
            && let Some(index) = tags.iter().position(|tag| tag.get("id") == Some(other))
        {
            return inner_text(text, tags, index);
        }
        let before = tags[..at].iter().rposition(|tag| tag.name == "label" || tag.name == "/label");
        match before {
            Some(index) if tags[index].name == "label" => inner_text(text, tags, index),
            _ => String::new(),
        }
    }
}

/// The text between a tag and its end, one line per piece, without markup.
fn inner_text(text: &str, tags: &[Tag], at: usize) -> String {
    let start = tags[at].end;
    let end = text[start..].find(&format!("</{}", tags[at].name)).map_or(text.len(), |found| start + found);
    let mut out = String::new();
    let mut inside = false;
    for character in text[start..end].chars() {
        match character {
            '<' => {
                inside = true;
                out.push('\n');
            }
            '>' if inside => inside = false,
            _ if inside => {}
            _ => out.push(character),
        }
    }
    let lines = out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    unescape(&lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"))
}

fn tags(text: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(open) = text[at..].find('<').map(|offset| at + offset) {
        if text[open..].starts_with("<!--") {
            at = text[open..].find("-->").map_or(text.len(), |offset| open + offset + 3);
            continue;
        }
        let mut cursor = open + 1;
        while cursor < bytes.len() && !bytes[cursor].is_ascii_whitespace() && bytes[cursor] != b'>' {
            cursor += 1;
        }
        let name = text[open + 1..cursor].trim_end_matches('/').to_ascii_lowercase();
        let mut attributes = Vec::new();
        while cursor < bytes.len() && bytes[cursor] != b'>' {
            if bytes[cursor].is_ascii_whitespace() || bytes[cursor] == b'/' {
                cursor += 1;
                continue;
            }
            let start = cursor;
            while cursor < bytes.len()
                && !matches!(bytes[cursor], b'=' | b'>' | b'/')
                && !bytes[cursor].is_ascii_whitespace()
            {
                cursor += 1;
            }
            let key = text[start..cursor].to_ascii_lowercase();
            let mut value = String::new();
            if bytes.get(cursor) == Some(&b'=') {
                cursor += 1;
                let quote = bytes.get(cursor).copied().filter(|byte| matches!(byte, b'"' | b'\''));
                let start = cursor + usize::from(quote.is_some());
                let ends = |byte: u8| match quote {
                    Some(quote) => byte == quote,
                    None => byte.is_ascii_whitespace() || byte == b'>',
                };
                cursor = start;
                while cursor < bytes.len() && !ends(bytes[cursor]) {
                    cursor += 1;
                }
                value = unescape(&text[start..cursor]);
                cursor += usize::from(quote.is_some());
            }
            attributes.push((key, value));
        }
        at = (cursor + 1).min(text.len());
        found.push(Tag { name, attributes, end: at });
    }
    found
}

/// Character references, as far as the hub's templates write them.
pub fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(end) = rest.find(';').filter(|end| *end <= 10) else {
            out.push('&');
            rest = &rest[1..];
            continue;
        };
        let name = &rest[1..end];
        let code = name.strip_prefix('#').and_then(|number| match number.strip_prefix(['x', 'X']) {
            Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
            None => number.parse().ok(),
        });
        match (name, code.and_then(char::from_u32)) {
            ("amp", _) => out.push('&'),
            ("lt", _) => out.push('<'),
            ("gt", _) => out.push('>'),
            ("quot", _) => out.push('"'),
            ("nbsp", _) => out.push(' '),
            (_, Some(character)) => out.push(character),
            _ => out.push_str(&rest[..=end]),
        }
        rest = &rest[end + 1..];
    }
    out + rest
}
