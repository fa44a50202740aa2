use super::*;

#[test]
fn the_step_that_is_refused_is_named() {
    let write = |path: &std::ffi::CStr| Step::Write(path.into(), b"x".to_vec());
    let steps = vec![
        (Need::Mount, write(c"/dev/null")),
        (Need::Tap, write(c"/no/such/folder/file")),
    ];
    let Err(refused) = attempt(&[vec![], steps]).unwrap() else {
        panic!("a file in no folder was written");
    };
    assert_eq!((refused.need, refused.errno), (Need::Tap, Errno::ENOENT));
}

#[test]
fn every_refusal_comes_with_a_remedy() {
    for (need, errno, hint) in [
        (Need::Tap, Errno::ENOENT, "modprobe tun"),
        (Need::Tap, Errno::EACCES, "chmod 0666 /dev/net/tun"),
        (Need::Tap, Errno::EPERM, "--device /dev/net/tun"),
        (Need::User, Errno::ENOSPC, "max_user_namespaces"),
        (Need::Namespaces, Errno::EPERM, "run as root"),
    ] {
        let text = Refused { need, errno }.missing().to_string();
        assert!(text.contains(hint), "{text}");
        assert!(text.contains(errno.desc()), "{text}");
    }
}
