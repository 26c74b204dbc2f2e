//! The description in OpenAPI has every route with its parameters, and leads nowhere astray.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use std::collections::{BTreeMap, BTreeSet};

use gatepost_api::document;
use gatepost_api::table::ROUTES;
use serde_json::Value;

/// Returns all operations of the description, by method and path.
fn operations() -> BTreeMap<(String, String), &'static Value> {
    let paths = document()["paths"].as_object().unwrap().iter();
    let of_path = |(path, item): (&String, &'static Value)| {
        let path = path.clone();
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, of)| ((method.to_uppercase(), path.clone()), of))
    };
    paths.flat_map(of_path).collect()
}

/// Calls `seen` with each value within this one.
fn each<'a>(value: &'a Value, seen: &mut impl FnMut(&'a Value)) {
    seen(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| each(item, seen)),
        Value::Object(members) => members.values().for_each(|member| each(member, seen)),
        _ => {}
    }
}

#[test]
fn it_has_every_route_and_the_one_for_messages() {
    let described: BTreeSet<_> = operations().into_keys().collect();
    let mut routed: BTreeSet<_> = (ROUTES.iter())
        .map(|route| (route.method.word().to_owned(), route.path.to_owned()))
        .collect();
    routed.insert(("POST".into(), "/accounts/{account}/messages".into()));
    assert_eq!(described, routed);
}

#[test]
fn each_operation_has_an_id_of_its_own() {
    let mut ids = BTreeSet::new();
    for (request, of) in operations() {
        assert!(
            ids.insert(of["operationId"].as_str().unwrap()),
            "{request:?}"
        );
    }
}

#[test]
fn parameters_of_a_path_are_those_that_it_names() {
    for (request, of) in operations() {
        let described = of["parameters"].as_array().unwrap().iter();
        let of_path = described.filter(|parameter| parameter["in"] == "path");
        let names: BTreeSet<_> = of_path.map(|one| one["name"].as_str().unwrap()).collect();
        let parts = request.1.split('/');
        let named: BTreeSet<_> = (parts)
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        assert_eq!(names, named, "{request:?}");
    }
}

#[test]
fn every_reference_leads_to_something() {
    let mut count = 0;
    each(document(), &mut |value| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document().pointer(pointer).is_some(), "{reference}");
            count += 1;
        }
    });
    assert!(count > 1000, "{count} references");
}

#[test]
fn every_type_of_an_answer_has_a_name_of_its_own() {
    // A second type of one name would get a number behind it, and another one as types come and go.
    let types = document()["components"]["schemas"].as_object().unwrap();
    let numbered: Vec<_> = (types.keys())
        .filter(|name| {
            types.contains_key(name.trim_end_matches(char::is_numeric))
                && name.ends_with(char::is_numeric)
        })
        .collect();
    assert!(numbered.is_empty(), "{numbered:?}");
}

#[test]
fn every_parameter_and_every_member_of_a_body_says_what_it_is() {
    let mut silent = Vec::new();
    for (request, of) in operations() {
        for parameter in of["parameters"].as_array().unwrap() {
            if !parameter["description"].is_string() {
                silent.push(format!("{request:?} {}", parameter["name"]));
            }
        }
        let body = &of["requestBody"]["content"]["application/json"]["schema"]["properties"];
        for (name, member) in body.as_object().into_iter().flatten() {
            if !member["description"].is_string() {
                silent.push(format!("{request:?} {name}"));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn a_request_takes_only_members_that_it_describes() {
    for (request, of) in operations() {
        let body = &of["requestBody"]["content"]["application/json"]["schema"];
        assert!(
            body.is_null() || body["additionalProperties"] == false,
            "{request:?}"
        );
    }
}
