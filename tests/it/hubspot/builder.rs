//! Configurations that do not build.

use pagestream::{
    ErrorKind,
    hubspot::{Associations, AssociationsBuilder},
    testing::HubSpot,
};

use super::{TOKEN, deals, shown};

fn assert_invalid(builder: AssociationsBuilder) {
    assert_eq!(builder.build().unwrap_err().kind(), ErrorKind::Configuration);
}

#[test]
fn a_batch_size_of_0_or_1001_is_invalid() {
    for size in [0, 1001, usize::MAX] {
        assert_invalid(deals([1], HubSpot::new(1)).batch_size(size));
    }
    for size in [1, 1000] {
        assert!(deals([1], HubSpot::new(1)).batch_size(size).build().is_ok());
    }
}

#[test]
fn an_empty_id_is_invalid() {
    assert_invalid(deals([1], HubSpot::new(1)).ids(["", "2"]));
}

#[test]
fn a_bad_object_type_is_invalid() {
    for bad in ["", ".", "..", "deals/1", "de als", "deals?limit=1", "deals#", "d%2e", "größe"] {
        for (from, to) in [(bad, "companies"), ("deals", bad)] {
            let builder = Associations::builder(from, to).ids([1]).token(TOKEN);
            assert_invalid(builder.transport(HubSpot::new(1)));
        }
    }
}

#[test]
fn a_token_that_is_missing_or_fits_no_header_is_invalid() {
    assert_invalid(Associations::builder("deals", "companies").transport(HubSpot::new(1)));
    let bad = deals([1], HubSpot::new(1)).token(format!("{TOKEN}\nx: y")).build().unwrap_err();
    assert_eq!(bad.kind(), ErrorKind::Configuration);
    assert!(!shown(&bad).contains(TOKEN));
}

#[test]
fn an_empty_token_is_invalid() {
    assert_invalid(deals([1], HubSpot::new(1)).token(""));
}

#[test]
fn a_bad_base_url_is_invalid() {
    for bad in ["", "api.hubapi.com", "ftp://api.hubapi.com", "https://", "http://a b"] {
        assert_invalid(deals([1], HubSpot::new(1)).base_url(bad));
    }
}
