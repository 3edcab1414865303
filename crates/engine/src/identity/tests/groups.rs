//! Supplementary groups: the spec's, and what the container's own file of groups adds for a user who is asked for.

use super::*;

impl Tree {
    fn groups(&self, request: &str) -> Result<Vec<u32>, Error> {
        self.plan(&process(User::default()), Some(request)).map(|(identity, _)| identity.groups)
    }
}

#[test]
fn c19_supplementary_groups_are_exactly_the_specs() {
    let none = plan(&process(User::default())).unwrap();
    assert_eq!(none.groups, Vec::<u32>::new());
    let user = UserBuilder::default().uid(1000_u32).additional_gids([3, 1, 2]).build().unwrap();
    assert_eq!(plan(&process(user)).unwrap().groups, [3, 1, 2], "alice's id alone asks for no groups of hers");
}

#[test]
fn a_user_who_is_asked_for_has_the_groups_that_list_it() {
    let tree = Tree::with(PASSWD, GROUP);
    for request in ["alice", "1000"] {
        assert_eq!(tree.groups(request).unwrap(), [50, 63], "{request}");
    }
    for request in ["root", "0", "nohome", "4321"] {
        assert_eq!(tree.groups(request).unwrap(), [0; 0], "{request}");
    }
}

#[test]
fn a_group_that_is_asked_for_takes_the_place_of_the_users_own() {
    let tree = Tree::with(PASSWD, GROUP);
    for request in ["alice:staff", "alice:7", "1000:7"] {
        assert_eq!(tree.groups(request).unwrap(), [0; 0], "{request}");
    }
}

#[test]
fn what_the_spec_grants_stays_and_comes_first_and_once() {
    let user = UserBuilder::default().additional_gids([70, 63, 2]).build().unwrap();
    let groups = |request| Tree::with(PASSWD, GROUP).plan(&process(user.clone()), Some(request)).unwrap().0.groups;
    assert_eq!(groups("alice"), [70, 63, 2, 50]);
    assert_eq!(groups("alice:staff"), [70, 63, 2]);
}

#[test]
fn only_whole_names_in_the_list_of_members_count() {
    let group =
        "alice:x:1:\na:x:2:alic,alicee, alice,ALICE\nb:alice:3:\nc:x:4:bob,,alice\r\nd:x:4:alice\ne:x:5:x:alice\n";
    assert_eq!(Tree::with(PASSWD, group).groups("alice").unwrap(), [4]);
}

#[test]
fn c17_a_user_without_a_name_is_in_no_group() {
    let tree = Tree::with(":x:7:8::/:/bin/sh\n", "root:x:0:\nwheel:x:10:,\n");
    assert_eq!(tree.user("7").unwrap(), (7, 8));
    assert_eq!(tree.groups("7").unwrap(), [0; 0], "an empty list has no members");
}

#[test]
fn c16_a_group_of_the_user_whose_id_does_not_fit_is_an_error_and_never_0() {
    for id in ["", "wheel", "-1", "4294967295", "4294967296"] {
        let tree = Tree::with(PASSWD, &format!("first:x:5:alice\nbad:x:{id}:bob,alice\n"));
        let refused = tree.groups("alice").unwrap_err();
        assert!(matches!(&refused, Error::BadEntry { file: "etc/group", name } if name == "alice"), "{refused:?}");
        assert_eq!(tree.groups("nohome").unwrap(), [0; 0], "whom that line does not list");
    }
}

#[test]
fn c20_a_file_of_groups_that_cannot_be_read_stops_only_who_may_be_in_it() {
    let tree = Tree::with(PASSWD, "");
    fs::remove_file(tree.path("etc/group")).unwrap();
    assert_eq!(tree.groups("alice").unwrap(), [0; 0], "no file has no groups");
    rustix::fs::mknodat(CWD, tree.path("etc/group"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    for request in ["alice", "1000"] {
        assert!(matches!(tree.groups(request), Err(Error::NotRegular { file: "etc/group" })), "{request}");
    }
    for request in ["alice:7", "1000:7", "4321"] {
        assert_eq!(tree.groups(request).unwrap(), [0; 0], "{request}");
    }
}

#[test]
fn c20_more_groups_than_the_kernel_takes_are_refused_and_repeated_ones_are_one() {
    let lines = |ids: &mut dyn Iterator<Item = u32>| ids.map(|id| format!("::{id}:a\n")).collect::<String>();
    let tree = |group: &str| Tree::with("a:x:1:1\n", group);
    let most = lines(&mut (1..=65_536));
    assert_eq!(tree(&most).groups("a").unwrap().len(), 65_536);
    let refused = tree(&(most + "::0:a\n")).groups("a").unwrap_err();
    assert!(matches!(refused, Error::TooManyGroups { count: 65_537 }), "{refused:?}");
    assert_eq!(tree(&lines(&mut std::iter::repeat_n(5, 100_000))).groups("a").unwrap(), [5]);
}
