//! Services that nobody here wrote.

use std::path::Path;

use insta::assert_snapshot;
use ridethrough_targets::service::Program;

use super::*;
use crate::playbook::WorldKind;

/// The good playbook with another gateway.
fn with_gateway(service: &str) -> String {
    let entry = ("name: reference", "name: reference\nentry: gateway");
    let text = inline(&good_text(), STACK, &[entry, ("gateway: {}", service)]);
    let (before, _) = text.split_once("controls:").expect("controls");
    before.to_string()
}

fn program(text: &str) -> Program {
    let plan = planned(text);
    plan.node("gw").expect("gw").services[0].program.clone()
}

#[test]
fn a_program_has_its_files_and_addresses() {
    let text = with_gateway(
        "command: [serve, --to, '${ip:gpu-2}']
    env: {FIRST: '${ip:gpu-1}', OWN: '${HOME}'}
    files: {/etc/serve.conf: {text: 'to ${ip:gpu-2}; log $request'}}
    port: 8000
    ports: [9000]
    health: {http: /health}",
    );
    let Program::Command { argv, env, files } = program(&text) else {
        panic!("a program of the host");
    };
    assert_eq!(argv, ["serve", "--to", "10.77.1.3"]);
    assert_eq!(env[0].1, "10.77.1.2");
    assert_eq!(env[1].1, "${HOME}");
    assert_eq!(files[0].path, "/etc/serve.conf");
    assert_eq!(files[0].text, "to 10.77.1.3; log $request");
    let plan = planned(&text);
    let doors = crate::plan::doors::doors(&plan.playbook.stack, &plan.entry);
    let shown: Vec<_> = doors.iter().map(|d| (d.port, d.http.as_deref())).collect();
    assert_eq!(shown, [(8000, Some("/health")), (9000, None)]);
    assert_eq!(needed(&plan.playbook.stack)[0].program, "serve");
}

#[test]
fn an_image_is_told_to_its_world_and_refused_by_others() {
    let text = with_gateway("image: nginx:1.27\n    port: 8000");
    let Program::Image { image, argv, .. } = program(&text) else {
        panic!("an image");
    };
    assert_eq!((image.as_str(), argv), ("nginx:1.27", None));
    let refused = |text: &str, world: &str| shown(&format!("world: {world}\n{text}"));
    assert_snapshot!(refused(&text, "embedded"));
    let built = with_gateway("build: {context: .}\n    port: 8000");
    assert!(refused(&built, "virtual").contains("service `gateway` is an image; run it with"));
    assert!(!refused(&text, "docker").contains("is an image"));
    assert_eq!(
        WorldKind::Docker,
        planned(&format!("world: docker\n{text}"))
            .playbook
            .world
            .unwrap()
    );
}

#[test]
fn what_goes_with_what() {
    assert_snapshot!(shown(&with_gateway(
        "command: [serve, '${ip:gpu-9}']
    image: serve:1
    build: {context: .}
    needs: {install: nothing}
    files: {etc/x: {text: x}, /proc/1/x: {text: '${ip:edge}'}}
    health: {tcp: 1, log: ready}
    port: 8000"
    )));
    assert_snapshot!(shown(&with_gateway(
        "gateway: {}
    files: {/etc/x: {text: x}}
    draw: 30%
    health: {http: /x}"
    )));
    assert_snapshot!(shown(&with_gateway(
        "command: [serve]
    ports: [8000, 8000]
    port: 8000
    health: {interval: 1s}"
    )));
}

#[test]
fn files_are_read_from_beside_the_stack() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("serve.conf"), "listen ${ip:gpu-1}\n").expect("written");
    let service = |name: &str| {
        let from = format!("files: {{/etc/serve.conf: {{from: {name}}}}}");
        with_gateway(&format!("command: [serve]\n    port: 8000\n    {from}"))
    };
    let at = |name: &str| {
        let path = folder.path().join("playbook.yaml");
        let site = Path::new("tests/data/sites/two-feed.yaml")
            .canonicalize()
            .expect("a site");
        let text = service(name).replace(SITE, &format!("site: {}", site.display()));
        plan_source(&path, &text).map(|(_, plan)| plan)
    };
    let plan = at("serve.conf").unwrap_or_else(|e| panic!("{}", e.render(false)));
    assert!(plan.yaml.contains("listen ${ip:gpu-1}"), "{}", plan.yaml);
    assert!(!plan.yaml.contains("from: serve.conf"));
    let missing = at("serv.conf")
        .map(drop)
        .expect_err("an error")
        .render(false);
    assert!(missing.contains("no file `serv.conf`"), "{missing}");
    assert!(missing.contains("did you mean `serve.conf`?"), "{missing}");
}

#[test]
fn a_program_that_is_missing_is_told_with_the_way_to_get_it() {
    let said = |service: &str| {
        let plan = planned(&with_gateway(service));
        let programs = crate::conduct::programs(&plan.playbook.stack);
        programs.map_or_else(|error| error.to_string(), |()| "all there".into())
    };
    let missing = "command: [no-such-program]\n    port: 8000";
    assert_snapshot!(said(missing));
    let needs = "needs: {program: '${cache}/no-such', install: get no-such}";
    let named = said(&format!("command: [/bin/sh]\n    port: 8000\n    {needs}"));
    assert!(
        named.ends_with("/no-such`, which service `gateway` runs; get it with `get no-such`"),
        "{named}"
    );
    assert_eq!(said("command: [/bin/sh]\n    port: 8000"), "all there");
    let own = "command: [/opt/own]\n    port: 8000\n    files: {/opt/own: {text: '#!/bin/sh'}}";
    assert_eq!(said(own), "all there");
}
