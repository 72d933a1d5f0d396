//! What belongs together is found by product, host and tag, in the order of the names; and a run knows its name.

use crate::support::simulation::Scene;
use baton::model::run::record::Ending;
use std::collections::BTreeMap;

/// The site of the lab with tags, and what a runbook notes that is played there.
fn noted(body: &str) -> Vec<String> {
    let site = Scene::inventory();
    let tagged = |site: String, section: &str, tags: &str| {
        assert!(site.contains(section), "{section} is no section of {site}");
        site.replace(section, &format!("{section}\ntags = {tags}"))
    };
    let site = tagged(site, "[hosts.cfg-a]", "[\"site-a\"]");
    let site = tagged(site, "[services.c1]", "[\"proxies\", \"vip\"]");
    let site = tagged(site, "[services.c2]", "[\"proxies\"]");
    let text = format!(
        "//! Finds things\nfn names(all) {{ all.map(|one| one.name).reduce(|a, b| `${{a}} ${{b}}`, \"\") }}\n{body}\n"
    );
    let scene = Scene::of_texts(&text, &BTreeMap::from([("inventory".to_owned(), site)]));
    let play = scene.play(1);
    let done = play.run();
    assert_eq!(done.ending, Ending::Done, "{:?}", done.error);
    play.notes()
}

#[test]
fn services_are_found_by_product_host_and_tag() {
    let found = noted(
        "note(names(services(\"genesys-confserv\")));\n\
         note(names(services(#{ product: \"genesys-confdb\" })));\n\
         note(names(services(#{ tag: \"proxies\" })));\n\
         note(names(services(#{ tag: \"proxies\", host: \"cfg-b\" })));\n\
         note(names(services(#{ tag: \"site-a\" })));\n\
         note(`${services(\"nothing-of-the-kind\").len()}`);\n\
         note(service(\"c1\").tags.to_string());",
    );
    assert_eq!(found, [" c1 c2", " confdb", " c1 c2", " c2", " c1", "0", "[\"proxies\", \"vip\"]"]);
}

#[test]
fn hosts_are_found_by_tag() {
    let found = noted("note(names(hosts(#{ tag: \"site-a\" })));\nnote(`${hosts().len() > 1}`);");
    assert_eq!(found, [" cfg-a", "true"]);
}

#[test]
fn a_run_knows_its_name() {
    assert_eq!(noted("note(run_id());"), ["sim"]);
}
