//! The Entities page: what a person's own roles let them see, found by the filter language.

use serde_json::json;

use crate::support::{Application, Hub, Request};

const PAGE: &str = "/console/entities";

async fn load(app: &Application) {
    let line = |at: usize, department: &str| {
        json!({"id": format!("host/{at:03}"), "attributes": {"user.department": department, "n": at.to_string()}})
            .to_string()
            + "\n"
    };
    let text: String = (0..120).map(|at| line(at, if at % 3 == 0 { "fx" } else { "hidden-desk" })).collect();
    app.ask(Request::post("/api/v1/entities/bulk").body("application/x-ndjson", text.as_bytes())).await.expect(200);
}

#[tokio::test]
async fn entities_are_found_counted_and_turned_page_by_page() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let empty = person.get(PAGE).await.expect(200).text();
    assert!(empty.contains("No entity is here yet") && empty.contains("/api/v1/entities/bulk"), "{empty}");
    load(&hub.application(&["Administrator"]).await).await;
    let first = person.get(PAGE).await.expect(200).text();
    assert!(first.contains("host/000") && first.contains("host/049") && !first.contains("host/050"));
    let next = first.split("rel=\"next\"").next().and_then(|text| text.rsplit("href=\"").next());
    let next = next.and_then(|text| text.split('"').next()).expect("a next page").replace("&#38;", "&");
    let second = person.get(&next).await.expect(200).text();
    assert!(second.contains("host/050") && !second.contains("host/049"), "{second}");

    let found = person.get(&format!("{PAGE}?filter=n%20IN%20(7,%208)&by=user.department")).await.expect(200).text();
    assert!(found.contains("host/007") && found.contains("host/008") && !found.contains("host/009"));
    assert!(found.contains("hidden-desk") && found.contains("<td class=\"number\">2</td>"), "{found}");
    let none = person.get(&format!("{PAGE}?filter=n%20%3D%20nothing")).await.expect(200).text();
    assert!(none.contains("Nothing found"));
    let wrong = person.get(&format!("{PAGE}?filter=a%20%3D%3D%20b")).await.expect(200).text();
    assert!(wrong.contains("Column 4") && wrong.contains("aria-invalid"), "{wrong}");
    for odd in ["?by=%0A", "?cursor=", "?filter=a%20%3D%20%22%0A%22", "?by=nothing"] {
        let status = person.get(&format!("{PAGE}{odd}")).await.status;
        assert_eq!(status, 200, "{odd}");
    }
    // A place in the list that the hub did not make is not taken for the first page.
    let altered = next.replace("cursor=", "filter=n+%3D+7&cursor=A");
    for bad in [&format!("{PAGE}?cursor=x"), &altered] {
        let told = person.get(bad).await.expect(400).text();
        assert!(told.contains("no longer good") && !told.contains("host/0"), "{bad}: {told}");
    }
    let told = person.get(&altered).await.text();
    assert!(told.contains("href=\"/console/entities?filter=n+%3D+7\""), "what was asked for stays: {told}");
}

#[tokio::test]
async fn sec_27_a_person_sees_what_their_own_filters_select() {
    let hub = Hub::start().await;
    hub.role("Desk", &["entities:view"], Some("user.department = fx")).await;
    hub.role("Blind", &["roles:view"], None).await;
    load(&hub.application(&["Administrator"]).await).await;
    let mut person = hub.console_user("Desk").await;
    for page in ["", "?by=user.department", "?filter=user.department%20!%3D%20fx", "?by=n&filter=n%20%3D%201"] {
        let text = person.get(&format!("{PAGE}{page}")).await.expect(200).text();
        assert!(!text.contains("hidden-desk") && !text.contains("host/001"), "{page}: {text}");
    }
    assert!(person.get(PAGE).await.text().contains("data filters of your own roles"));
    let mut blind = hub.console_user("Blind").await;
    assert_eq!(blind.get(PAGE).await.status, 403);
}
