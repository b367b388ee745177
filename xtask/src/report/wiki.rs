//! Reports the wiki pages that were pulled, by category and by what happened to them.

use contract::{Wiki, WikiPage, WikiStatus};
use phase::Page;

use super::prose::{self, FOLD};

/// Draws the pages, or nothing if none were pulled.
pub fn draw(wiki: &Wiki, page: &mut Page) {
    let categories = [
        ("clients", &wiki.clients),
        ("projects", &wiki.projects),
        ("systems", &wiki.systems),
        ("patterns", &wiki.patterns),
        ("meta", &wiki.meta),
    ];
    if categories.iter().all(|(_, pages)| pages.is_empty()) {
        return;
    }
    page.heading("Wiki");
    for (category, pages) in categories {
        for (status, word) in [
            (WikiStatus::Added, "added"),
            (WikiStatus::Modified, "modified"),
            (WikiStatus::Deleted, "deleted"),
        ] {
            let of_status: Vec<&WikiPage> = pages.iter().filter(|page| page.status == status).collect();
            if !of_status.is_empty() {
                prose::list(page, &format!("  {category:<8}  {word:<8}  "), items(category, &of_status));
            }
        }
    }
    page.gap();
}

/// Returns the names of up to ten pages relative to their category, and the number of the rest.
fn items(category: &str, pages: &[&WikiPage]) -> Vec<String> {
    let prefix = format!("wiki/{category}/");
    let name = |page: &&WikiPage| {
        let path = page.path.as_str();
        path.strip_prefix(&prefix).or_else(|| path.strip_prefix("wiki/")).unwrap_or(path).to_owned()
    };
    let mut items: Vec<String> = pages.iter().take(FOLD).map(name).collect();
    if pages.len() > FOLD {
        items.push(format!("and {} more", pages.len() - FOLD));
    }
    items
}
