//! Tests of the book.

use super::*;
use crate::access::{Error, KeyHash};
use crate::clock::ManualClock;
use crate::eligibility::{Arm, Endpoint, Price};
use crate::store::simulated::SimulatedDisk;

mod failing;
mod refusing;

const DAY: Duration = Duration::from_secs(86_400);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn catalogue() -> Arc<Catalogue> {
    let arm = |arm: &str| Arm {
        name: name(arm),
        capabilities: BTreeSet::new(),
        context_tokens: 1_000,
        max_output_tokens: None,
    };
    let price = Price {
        from: time(0),
        input: 1.0,
        cached_input: 1.0,
        cache_write: 1.0,
        output: 1.0,
    };
    let endpoint = |arm: &str| Endpoint {
        name: name(&format!("{arm}-eu")),
        arm: name(arm),
        provider: name("simulated"),
        model: String::new(),
        base_url: String::new(),
        region: None,
        zero_retention: true,
        trains: false,
        certifications: Vec::new(),
        expresses: crate::chat::Parameters::ALL,
        waits: Default::default(),
        prices: vec![price],
    };
    let arms = vec![arm("large"), arm("small")];
    let endpoints = vec![endpoint("large"), endpoint("small")];
    Arc::new(Catalogue::new(arms, endpoints).unwrap())
}

/// The key `root` of team `coding`, for everything.
fn root() -> Grant {
    Grant {
        key: name("root"),
        team: name("coding"),
        scopes: Scope::ALL.into(),
        arms: None,
        bounds: Bounds::default(),
    }
}

/// A book, and what it is kept in.
struct Bench {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    keyed: Arc<Keyed>,
    book: Book,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(time(0)));
        let keyed = Arc::new(Keyed::open(dir.path().join("keyed"), [1; 32]).unwrap());
        let book = opened(&keyed, &clock, "coding");
        Self {
            dir,
            clock,
            keyed,
            book,
        }
    }

    /// The same, opened again on what is on disk.
    fn again(self) -> Self {
        let Self { dir, clock, .. } = self;
        drop((self.book, self.keyed));
        // sled lets go of its lock a moment after it is dropped.
        let open = || Keyed::open(dir.path().join("keyed"), [2; 32]);
        let tries = (0..200).map(|_| open());
        let mut tries = tries.inspect(|opened| {
            if opened.is_err() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let keyed = Arc::new(tries.find_map(Result::ok).expect("opened again"));
        let book = opened(&keyed, &clock, "coding");
        Self {
            dir,
            clock,
            keyed,
            book,
        }
    }

    fn create(&self, by: &Grant, wanted: Wanted) -> String {
        let (text, _) = self.book.create(by, wanted).unwrap();
        text.reveal().to_owned()
    }

    /// Who is let in with this key.
    fn check(&self, key: &str, expected: Result<&str, Error>) {
        let found = self.book.porter().admit(Some(key), None);
        let found = found.map(|grant| grant.key.to_string());
        assert_eq!(found, expected.map(str::to_owned));
    }
}

fn opened(keyed: &Arc<Keyed>, clock: &Arc<ManualClock>, team: &str) -> Book {
    let keys = Keys::new([(KeyHash::of("k-root"), root())]);
    let budgeted = [(name("coding"), name("spender"))].into();
    let (keyed, clock) = (Arc::clone(keyed), Arc::clone(clock) as Arc<dyn Clock>);
    let audit = Audit::open(Arc::new(SimulatedDisk::new())).unwrap();
    let kept = (keyed, Arc::new(audit));
    Book::open((keys, budgeted), kept, catalogue(), [&name(team)], clock).unwrap()
}

fn wanted(key: &str) -> Wanted {
    Wanted {
        name: name(key),
        scopes: [Scope::Route].into(),
        arms: None,
        bounds: Bounds::default(),
    }
}

/// An admin key that was made, as its grant.
fn made_admin(bench: &Bench, key: &str) -> Arc<Grant> {
    let scopes = [Scope::Route, Scope::Admin].into();
    let text = bench.create(
        &root(),
        Wanted {
            scopes,
            ..wanted(key)
        },
    );
    let admission = bench.book.porter().admit(Some(&text), None);
    Arc::clone(admission.unwrap().grant())
}

#[test]
fn a_key_that_was_made_lets_in_at_once_and_after_a_restart() {
    let bench = Bench::new();
    let key = bench.create(&root(), wanted("ci"));
    bench.check(&key, Ok("ci"));
    bench.check("k-root", Ok("root"));
    let bench = bench.again();
    bench.check(&key, Ok("ci"));
}

#[test]
fn a_reload_of_the_configuration_keeps_the_keys_that_were_made_and_what_became_of_them() {
    let bench = Bench::new();
    let [kept, gone] = ["kept", "gone"].map(|key| bench.create(&root(), wanted(key)));
    bench.book.revoke(&root(), &name("gone")).unwrap();
    let keys = [(KeyHash::of("k-new"), root())];
    bench.book.porter().configure(Keys::new(keys), 1);
    bench.check(&kept, Ok("kept"));
    bench.check(&gone, Err(Error::KeyUnknown));
    bench.check("k-root", Err(Error::KeyUnknown));
    bench.check("k-new", Ok("root"));
}

#[test]
fn a_key_that_was_revoked_lets_nobody_in_for_good_and_keeps_its_name() {
    let bench = Bench::new();
    let key = bench.create(&root(), wanted("ci"));
    bench.clock.set(time(5));
    let listed = bench.book.revoke(&root(), &name("ci")).unwrap();
    assert_eq!(listed.life.unwrap().revoked, Some(time(5)));
    bench.check(&key, Err(Error::KeyUnknown));
    bench.clock.set(time(6));
    let again = bench.book.revoke(&root(), &name("ci")).unwrap();
    assert_eq!(
        again.life.unwrap().revoked,
        Some(time(5)),
        "nothing changes"
    );
    let bench = bench.again();
    bench.check(&key, Err(Error::KeyUnknown));
    let taken = bench.book.create(&root(), wanted("ci")).unwrap_err();
    assert!(matches!(taken, KeyError::Exists { .. }), "{taken}");
    let ended = bench.book.rotate(&root(), &name("ci"), DAY).unwrap_err();
    assert!(matches!(ended, KeyError::Ended { .. }), "{ended}");
}

#[test]
fn a_rotated_key_has_two_texts_for_a_while_and_survives_a_restart_in_between() {
    let bench = Bench::new();
    let first = bench.create(&root(), wanted("ci"));
    let (second, listed) = bench.book.rotate(&root(), &name("ci"), DAY).unwrap();
    assert_eq!(listed.life.unwrap().before.unwrap().1, time(86_400));
    let bench = bench.again();
    bench.check(&first, Ok("ci"));
    bench.check(second.reveal(), Ok("ci"));
    let before = || {
        let page = bench.book.list(&root(), None, 1);
        page.keys[0].life.clone().unwrap().before
    };
    assert!(before().is_some());
    bench.clock.set(time(86_400));
    assert_eq!(before(), None, "it is told as long as it is good");
    bench.check(&first, Err(Error::KeyUnknown));
    bench.check(second.reveal(), Ok("ci"));
    let (third, _) = bench
        .book
        .rotate(&root(), &name("ci"), Duration::ZERO)
        .unwrap();
    bench.check(second.reveal(), Err(Error::KeyUnknown));
    bench.check(third.reveal(), Ok("ci"));
}

#[test]
fn a_key_ends_when_its_time_comes() {
    let bench = Bench::new();
    let mut ending = wanted("ci");
    ending.bounds.expires = Some(time(10));
    let key = bench.create(&root(), ending.clone());
    bench.clock.set(time(9));
    bench.check(&key, Ok("ci"));
    bench.clock.set(time(10));
    bench.check(&key, Err(Error::KeyUnknown));
    ending.name = name("late");
    let over = bench.book.create(&root(), ending).unwrap_err().to_string();
    assert_eq!(over, "expire_time: is over: allowed a time in the future");
}

#[test]
fn a_key_is_given_no_right_that_its_maker_has_not_and_inherits_what_is_not_said() {
    let bench = Bench::new();
    let mut narrow = root();
    narrow.key = name("narrow");
    narrow.scopes = [Scope::Route, Scope::Admin].into();
    narrow.arms = Some([name("small")].into());
    narrow.bounds.expires = Some(time(100));
    let keys = [("k-root", root()), ("k-narrow", narrow.clone())];
    let keys = keys.map(|(key, grant)| (KeyHash::of(key), grant));
    bench.book.porter().configure(Keys::new(keys), 1);
    let key = bench.create(&narrow, wanted("ci"));
    let grant = bench.book.porter().admit(Some(&key), None).unwrap();
    assert_eq!(
        (&grant.arms, grant.bounds.expires),
        (&narrow.arms, Some(time(100)))
    );
    let refused = |change: fn(&mut Wanted)| {
        let mut wanted = wanted("more");
        change(&mut wanted);
        bench.book.create(&narrow, wanted).unwrap_err().to_string()
    };
    let said = refused(|wanted| wanted.scopes = [Scope::Complete].into());
    assert_eq!(
        said,
        "this key may not give a key the scope `complete`: allowed its own: route, admin"
    );
    let said = refused(|wanted| wanted.arms = Some([name("large")].into()));
    assert_eq!(
        said,
        "this key may not give a key another arm: allowed its own: small"
    );
    let said = refused(|wanted| wanted.arms = Some([name("huge")].into()));
    assert_eq!(said, "arms: huge is not configured: allowed large, small");
    // Nor does it get the text of a key that may do more; but it may end one.
    bench.create(&root(), wanted("wide"));
    let said = bench.book.rotate(&narrow, &name("wide"), DAY).unwrap_err();
    assert!(matches!(said, KeyError::Beyond { .. }), "{said}");
    bench.book.revoke(&narrow, &name("wide")).unwrap();
}

#[test]
fn what_was_under_way_when_its_key_was_revoked_changes_nothing() {
    let bench = Bench::new();
    let admin = made_admin(&bench, "admin");
    bench.create(&root(), wanted("ci"));
    bench.book.revoke(&root(), &name("admin")).unwrap();
    // These were let in before, and come to their turn now.
    let gone = bench.book.create(&admin, wanted("late")).unwrap_err();
    assert!(matches!(gone, KeyError::CallerGone), "{gone}");
    let gone = bench.book.rotate(&admin, &name("ci"), DAY).unwrap_err();
    assert!(matches!(gone, KeyError::CallerGone), "{gone}");
    let gone = bench.book.revoke(&admin, &name("ci")).unwrap_err();
    assert!(matches!(gone, KeyError::CallerGone), "{gone}");
    let page = bench.book.list(&root(), None, 9);
    let live = page
        .keys
        .iter()
        .filter(|key| key.life.as_ref().is_some_and(|l| l.revoked.is_none()));
    let live: Vec<_> = live.map(|key| key.grant.key.as_str()).collect();
    assert_eq!(live, ["ci"]);
}

#[test]
fn a_key_of_the_configuration_is_listed_and_changed_by_nobody() {
    let bench = Bench::new();
    for result in [
        bench.book.revoke(&root(), &name("root")).map(drop),
        bench.book.rotate(&root(), &name("root"), DAY).map(drop),
    ] {
        let said = result.unwrap_err().to_string();
        assert_eq!(
            said,
            "key root stands in the configuration: change it there, under [[keys]]"
        );
    }
    let said = bench.book.create(&root(), wanted("root")).unwrap_err();
    assert!(matches!(said, KeyError::Exists { .. }), "{said}");
    let said = bench.book.revoke(&root(), &name("none")).unwrap_err();
    assert!(matches!(said, KeyError::NotFound { .. }), "{said}");
}

#[test]
fn a_list_comes_in_pages_by_name_and_never_of_another_team() {
    let bench = Bench::new();
    for key in ["d", "a", "z"] {
        bench.create(&root(), wanted(key));
    }
    let page = |after: Option<&str>, size| {
        let page = bench.book.list(&root(), after.map(name).as_ref(), size);
        let keys: Vec<_> = page
            .keys
            .iter()
            .map(|key| key.grant.key.to_string())
            .collect();
        (keys.join(" "), page.next.map(|name| name.to_string()))
    };
    assert_eq!(page(None, 2), ("a d".to_owned(), Some("d".to_owned())));
    assert_eq!(page(Some("d"), 2), ("root z".to_owned(), None));
    assert_eq!(page(None, 50), ("a d root z".to_owned(), None));
    let mut other = root();
    other.team = name("support");
    assert_eq!(bench.book.list(&other, None, 50), KeyPage::default());
    let said = bench.book.revoke(&other, &name("a"));
    assert!(said.is_err(), "a grant of nobody's changes nothing");
}

#[test]
fn keys_of_a_team_that_is_gone_and_keys_that_are_damaged_let_nobody_in() {
    let bench = Bench::new();
    let key = bench.create(&root(), wanted("ci"));
    let elsewhere = opened(&bench.keyed, &bench.clock, "support");
    let found = elsewhere.porter().admit(Some(&key), None);
    assert_eq!(found, Err(Error::KeyUnknown));
    bench
        .keyed
        .keep_key(&name("coding"), &name("ci"), b"\x01damaged")
        .unwrap();
    let damaged = opened(&bench.keyed, &bench.clock, "coding");
    let found = damaged.porter().admit(Some(&key), None);
    assert_eq!(found, Err(Error::KeyUnknown));
}

#[test]
fn an_open_server_makes_no_keys() {
    let bench = Bench::new();
    let open = Keys::open(name("coding"), name("open"));
    bench.book.porter().configure(open, 1);
    let grant = bench.book.porter().admit(None, None).unwrap();
    let said = bench.book.create(&grant, wanted("ci")).unwrap_err();
    assert!(matches!(said, KeyError::Open), "{said}");
}

#[test]
fn many_changes_at_once_are_all_kept() {
    let bench = Bench::new();
    let book = &bench.book;
    let texts: Vec<String> = std::thread::scope(|scope| {
        let made: Vec<_> = (0..4)
            .map(|thread| {
                scope.spawn(move || {
                    let key = |n| wanted(&format!("{thread}-{n}"));
                    let texts = (0..5).map(|n| book.create(&root(), key(n)).unwrap().0);
                    texts
                        .map(|text| text.reveal().to_owned())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        made.into_iter()
            .flat_map(|made| made.join().unwrap())
            .collect()
    });
    assert_eq!(texts.len(), 20);
    let bench = bench.again();
    for text in texts {
        assert!(bench.book.porter().admit(Some(&text), None).is_ok());
    }
}
