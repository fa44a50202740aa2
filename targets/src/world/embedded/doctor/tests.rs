use super::*;

#[test]
fn what_is_missing_comes_with_a_way_to_get_it() {
    let list = capabilities();
    let names: Vec<_> = list.iter().map(|capability| capability.name).collect();
    for name in ["user namespaces", "TAP devices", "embedded world", "Docker"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for capability in list {
        assert_eq!(
            capability.found,
            capability.remedy.is_empty(),
            "{capability:?}"
        );
        assert!(!capability.detail.is_empty(), "{capability:?}");
    }
}

#[test]
fn netem_request_states_its_length() {
    let request = netem_request();
    let stated = u32::from_ne_bytes([request[0], request[1], request[2], request[3]]);
    assert_eq!(stated as usize, request.len());
}

fn tap(need: Need, errno: Errno) -> Capability {
    let refused = Refused { need, errno };
    tried("TAP devices", Err(refused), "the fabric", tap_remedy)
}

#[test]
fn what_could_not_be_tried_says_so_and_whose_remedy_it_is() {
    let banned = tap(Need::User, Errno::EPERM);
    let words = "could not be tried without user namespaces (Operation not permitted)";
    assert_eq!(banned.detail, words);
    assert_eq!(banned.remedy, USER_REMEDY);
    let limited = tap(Need::User, Errno::ENOSPC);
    assert!(limited.detail.contains("user.max_user_namespaces"));
    assert!(limited.remedy.starts_with("raise the limit"), "{limited:?}");
}

#[test]
fn what_was_refused_itself_keeps_its_own_remedy() {
    let own = tap(Need::Tap, Errno::EACCES);
    assert_eq!(own.detail, "refused: Permission denied");
    assert!(own.remedy.contains("chmod 0666 /dev/net/tun"));
    let limited = tap(Need::Namespaces, Errno::ENOSPC);
    assert!(limited.remedy.contains("user.max_net_namespaces"));
}

#[test]
fn the_limit_on_user_namespaces_is_told_as_such() {
    let refused = Refused {
        need: Need::User,
        errno: Errno::ENOSPC,
    };
    let told = tried(USER_NAMESPACES, Err(refused), "", |_| USER_REMEDY);
    assert!(told.detail.starts_with("refused: "), "{told:?}");
    assert!(told.detail.contains("`sysctl user.max_user_namespaces`"));
    assert!(told.remedy.contains("sysctl -w user.max_user_namespaces"));
}
