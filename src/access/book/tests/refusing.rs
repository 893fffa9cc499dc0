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
    bench.book.porter().configure(Keys::new(keys));
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
