//! Brands of an account are added and removed, and addresses move between them.

use crate::common;

use common::{address, open, profile, verified};
use gatepost_directory::{AccountKind, DirectoryError, Name, ProfileChange, Refusal};

#[test]
fn a_brand_is_removed_once_nothing_is_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = profile(AccountKind::Production, "acme.desk.example");
    let acme = directory.add_account(acme).unwrap().id;
    verified(&directory, acme, "acme.example");
    let [shop, club]: [Name; 2] = ["Shop", "Club"].map(|name| name.parse().unwrap());
    let change = ProfileChange {
        product: Some("Acme Desk".parse().unwrap()),
        remove_brands: vec!["Acme".parse().unwrap()],
        add_brands: vec![shop.clone(), club.clone(), shop.clone()],
        ..ProfileChange::default()
    };
    let changed = directory.change_profile(acme, change).unwrap().profile;
    assert_eq!(changed.product.as_str(), "Acme Desk");
    assert_eq!(changed.brands, [club.clone(), shop.clone()]);

    let (help, native) = (
        address("help@acme.example"),
        address("help@acme.desk.example"),
    );
    directory
        .add_address_of_brand(acme, help.clone(), Some(shop.clone()))
        .unwrap();
    directory.add_address(acme, native.clone()).unwrap();
    directory
        .set_default_address(acme, Some(shop.clone()), Some(native.clone()))
        .unwrap();
    let default = || directory.view().default_address(acme, &help).cloned();
    assert_eq!(default(), Some(native));

    let remove = || {
        let change = ProfileChange {
            remove_brands: vec![shop.clone()],
            ..ProfileChange::default()
        };
        directory.change_profile(acme, change)
    };
    let refused = remove().unwrap_err();
    assert!(
        matches!(refused, DirectoryError::Refused(Refusal::NotEmpty { .. })),
        "{refused}"
    );
    let moved = directory
        .set_address_brand(acme, &help, Some(club.clone()))
        .unwrap();
    assert_eq!(moved.brand, Some(club.clone()));
    let changed = remove().unwrap();
    assert_eq!(changed.profile.brands, [club]);
    assert_eq!(changed.details.brand_addresses.len(), 0);
    assert_eq!(default(), None);

    drop(directory);
    let directory = open(folder.path());
    assert_eq!(directory.view().account(acme), Some(&changed));
}
