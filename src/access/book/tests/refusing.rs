//! What a key may not make, and what becomes of a change that cannot be written.

use super::*;

/// The key `spender`, which has a budget, for everything else.
fn spender() -> Grant {
    Grant {
        key: name("spender"),
        ..root()
    }
}

#[test]
fn a_key_with_a_budget_makes_no_key_and_gets_no_other_ones_text() {
    let bench = Bench::new();
    let other = Grant {
        team: name("support"),
        ..spender()
    };
    let keys = [
        ("k-root", root()),
        ("k-s", spender()),
        ("k-o", other.clone()),
    ];
    let keys = keys.map(|(key, grant)| (KeyHash::of(key), grant));
    bench.book.porter().configure(Keys::new(keys), 1);
    let first = bench.create(&root(), wanted("ci"));
    let refused = "this key may not make a key or give one a new text, for it has a budget of its own and a key that \
                   is made has none: allowed with a key without `budget` under [[keys]]";
    let said = bench.book.create(&spender(), wanted("ci2")).unwrap_err();
    assert_eq!(said.to_string(), refused);
    let said = bench.book.rotate(&spender(), &name("ci"), DAY).unwrap_err();
    assert_eq!(said.to_string(), refused);
    bench.check(&first, Ok("ci"));
    // Another team's key of that name has no budget.
    bench.create(&other, wanted("ci2"));
    // It may end one: that gives it nothing.
    bench.book.revoke(&spender(), &name("ci")).unwrap();
    bench.check(&first, Err(Error::KeyUnknown));
}

#[test]
fn a_key_with_limits_makes_no_key_and_gets_no_other_ones_text_for_as_long_as_it_has_them() {
    let bench = Bench::new();
    bench.create(&root(), wanted("ci"));
    let porter = bench.book.porter();
    porter.limit([(name("coding"), name("root"))].into());
    let refused = "this key may not make a key or give one a new text, for it has limits of its own and a key that is \
                   made has none: allowed with a key without `limits` under [[keys]]";
    let said = bench.book.create(&root(), wanted("ci2")).unwrap_err();
    assert_eq!(said.to_string(), refused);
    let said = bench.book.rotate(&root(), &name("ci"), DAY).unwrap_err();
    assert_eq!(said.to_string(), refused);
    porter.limit([(name("support"), name("root"))].into());
    bench.create(&root(), wanted("ci2"));
}

#[test]
fn what_was_under_way_with_a_text_that_was_replaced_at_once_changes_nothing() {
    let bench = Bench::new();
    let admin = made_admin(&bench, "admin");
    let create = |by: &Grant, key: &str| bench.book.create(by, wanted(key)).map(drop);
    let rotate = |overlap| bench.book.rotate(&root(), &name("admin"), overlap);
    let (second, _) = rotate(DAY).unwrap();
    create(&admin, "while-it-is-good").unwrap();
    let text = rotate(Duration::ZERO).unwrap().0;
    let porter = bench.book.porter();
    porter.admit(Some(second.reveal()), None).unwrap_err();
    let gone = create(&admin, "late").unwrap_err();
    assert!(matches!(gone, KeyError::CallerGone), "{gone}");
    let admin = porter.admit(Some(text.reveal()), None).unwrap();
    create(&admin, "again").unwrap();
}

#[test]
fn what_was_under_way_when_its_configured_key_ended_changes_nothing() {
    let bench = Bench::new();
    let mut ending = root();
    ending.bounds.expires = Some(time(10));
    let keys = [(KeyHash::of("k-root"), ending.clone())];
    bench.book.porter().configure(Keys::new(keys), 1);
    bench.clock.set(time(9));
    bench.create(&ending, wanted("ci"));
    bench.clock.set(time(10));
    let gone = bench.book.revoke(&ending, &name("ci")).unwrap_err();
    assert!(matches!(gone, KeyError::CallerGone), "{gone}");
}
