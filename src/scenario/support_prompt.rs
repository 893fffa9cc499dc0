//! What the support team's customers write, put together from the project's own phrases.
//!
//! Invariants: 100 to 1500 characters. A hard errand is more likely to be told in the words of a hard
//! one, and at greater length, so that the text gives a weak hint, not the answer.

use super::dice::Dice;

const PRODUCTS: [&str; 14] = [
    "the espresso machine",
    "a pair of running shoes",
    "the yearly plan",
    "my train tickets",
    "the noise-cancelling headphones",
    "two concert tickets",
    "the desk lamp",
    "the family subscription",
    "a winter coat",
    "the bike helmet",
    "the e-book reader",
    "the standing desk",
    "a gift card",
    "the phone case",
];

const GREETINGS: [&str; 8] = [
    "Hello,",
    "Hi there,",
    "Good morning,",
    "Dear support team,",
    "Hey,",
    "Good evening,",
    "To whom it may concern,",
    "Hi again,",
];

const CLOSINGS: [&str; 8] = [
    "Thank you for your help.",
    "Please answer by e-mail, I cannot take calls during the day.",
    "Thanks in advance!",
    "I would be glad about a quick answer.",
    "Kind regards from a long-time customer.",
    "Please tell me what you need from me.",
    "Looking forward to hearing from you.",
    "What do I have to do now?",
];

const ANNOYED: [&str; 6] = [
    "This is the third time that I write about it.",
    "Frankly, I am losing my patience.",
    "Your chat kept me waiting for forty minutes yesterday.",
    "I expected better from you.",
    "If this is not settled this week I will cancel everything.",
    "I have told all of this to a colleague of yours already.",
];

const PARTICULARS: [&str; 8] = [
    "I ordered as a guest, with this e-mail address, from your web shop on the 3rd.",
    "My customer number is {o}7; the account is in my own name and the address is current.",
    "I use the app on an older phone, the newest version that it still gets.",
    "It was bought in your shop at the station, and I have the paper receipt in front of me.",
    "For your records: invoice {o}-B, paid by card in one sum, delivered to my office.",
    "I live abroad for the time being, so please mind the time difference if you call.",
    "The confirmation came by e-mail at once, and I have kept it together with the terms.",
    "I am writing on behalf of my mother, who is a customer of yours and agrees to this.",
];

const QUOTES: [&str; 5] = [
    "\n\n> Your answer of last week: \"We are sorry for the inconvenience. Your case has been passed on to the department in charge, which will get back to you within two working days. Please do not open another ticket for the same matter, since this starts the waiting time anew.\"\nNobody did.",
    "\n\n> From the chat: \"Agent: I can see order {o}. Agent: I have made a note. Agent: is there anything else? Customer: yes, you have not answered my question. Agent: thank you for contacting us, this chat is now closed.\"",
    "\n\n> The mail that I got says: \"Status of {o}: COMPLETED. Amount due: 0.00. Amount credited: 0.00. If you think that this is an error, answer to this message within fourteen days.\" The box for answers is not monitored, as a second mail informed me.",
    "\n\n> Dates, so that we do not have to go through all this again: ordered on the 3rd, paid on the 3rd, promised for the 8th, moved to the 12th without a word, called you on the 13th (22 minutes) and on the 15th (41 minutes), wrote on the 16th, and today is the 24th.",
    "\n\n> What the screen shows:\n> 1. Account > Orders > {o}: \"in progress\"\n> 2. Account > Payments: \"refused (code 51)\", then \"accepted\"\n> 3. Help > My requests: empty, although this is my third one\n> 4. The button \"Contact a person\" leads back to the first page",
];

/// How a task is opened, what makes it easy, what makes it hard.
struct Phrases {
    openings: [&'static str; 6],
    easy: [&'static str; 7],
    hard: [&'static str; 7],
}

const REFUND: Phrases = Phrases {
    openings: [
        "I would like my money back for {p} (order {o}).",
        "Please refund order {o}: {p}.",
        "I returned {p} and am waiting for the refund of order {o}.",
        "How do I get a refund for {p}? The order number is {o}.",
        "I was charged for {p} although I cancelled order {o}.",
        "Order {o}, {p}: I want to send it back and be refunded.",
    ],
    easy: [
        "It arrived last week, is unopened, and I still have the receipt.",
        "I paid by card and the parcel is back with you since Monday, says the tracking.",
        "I ordered it twice by mistake a minute apart.",
        "The size does not fit; everything else is fine.",
        "I am within the thirty days.",
        "Only one article of the order is concerned, the rest I keep.",
        "The cancellation was confirmed by e-mail the same day.",
    ],
    hard: [
        "I paid half with a gift card and half in another currency, and the rate has changed since.",
        "The order was split over three parcels, one of which never came, and a voucher was used on all of them.",
        "It was a present, bought through a marketplace seller that does not exist any more.",
        "The bank has already started a chargeback, and now both of you say that the other one has to act.",
        "I was promised an exception on the phone, long after the deadline, but nobody wrote it down.",
        "Tax was charged for the wrong country, and my company needs a corrected invoice as well.",
        "Part of it was refunded to a card that has been closed in the meantime.",
    ],
};

const HOW_TO: Phrases = Phrases {
    openings: [
        "A question about {p}: how do I set it up?",
        "How can I change the delivery address of order {o} ({p})?",
        "Where do I find the invoice for {p}, order {o}?",
        "Can you explain how the trial of {p} works?",
        "I have just bought {p}. What is the first thing to do?",
        "How do I use the voucher code on {p}? My order would be {o}.",
    ],
    easy: [
        "I could not find the button in the app.",
        "The manual was not in the box; a link would be enough.",
        "I only need to know which menu it is under.",
        "A short answer is fine.",
        "I am on the web site, not in the app.",
        "It is for a birthday on Friday, so the standard way will do.",
        "I have read the first page of the help already.",
    ],
    hard: [
        "It has to work with the old device, whose app is no longer in the store, and with two accounts at once.",
        "The steps in the help do not match what I see since the update, and the menu is greyed out.",
        "I share it with my family in two countries and every one of us sees another price.",
        "I want to automate it through your interface, but the token expires in the middle.",
        "I moved abroad, and my payment method is only accepted in the old country.",
        "The setup stops at eighty percent with code 0x1F and starts over.",
        "It should be delivered in parts to two addresses, and one of them is a parcel locker.",
    ],
};

const COMPLAINT: Phrases = Phrases {
    openings: [
        "I want to complain about {p}, order {o}.",
        "{p} arrived broken. Order {o}.",
        "I am very disappointed with {p} (order {o}).",
        "This is a formal complaint concerning order {o}: {p}.",
        "Something went badly wrong with {p}. My order is {o}.",
        "Your courier lost {p}, order {o}.",
    ],
    easy: [
        "The box was dented, the thing itself works; a small discount would settle it for me.",
        "It came two days late.",
        "The colour is not the one on the picture.",
        "One screw is missing, could you send it?",
        "The courier left it with a neighbour without a note.",
        "The packaging is wasteful, please pass that on.",
        "The newsletter keeps coming although I unsubscribed.",
    ],
    hard: [
        "It overheated and damaged the table; I have photographs and want to know who pays for that.",
        "I was insulted by the courier and nobody has called me back in two weeks.",
        "My lawyer says that the terms you quote do not hold here; I want a written statement.",
        "My data was shown to another customer, and I want to know what exactly and since when.",
        "It was replaced twice and the third one has the same fault; I do not want a fourth.",
        "You refused the warranty because of a repair that your own workshop made.",
        "A child was nearly hurt by it. I expect to hear what you will do about the others you sold.",
    ],
};

const ACCOUNT: Phrases = Phrases {
    openings: [
        "I cannot get into my account. My last order was {o}, {p}.",
        "Please change the e-mail address of my account; I have {p} with you.",
        "My account shows order {o} ({p}), which I never made.",
        "I want to close my account, but {p} is still active.",
        "Two accounts were made for me by mistake; {p} is in the wrong one (order {o}).",
        "The password reset does not arrive. I need it for {p}, order {o}.",
    ],
    easy: [
        "I have access to the old address still.",
        "I only forgot the password.",
        "The phone number is the same as before.",
        "It is just a typo in my surname.",
        "I looked in the spam folder as well.",
        "You may delete the empty one.",
        "I am signed in on my tablet, only the phone asks again.",
    ],
    hard: [
        "The phone with the second factor was stolen, and the address on file belongs to my former employer.",
        "The account is in the name of my late father, and we need the invoices for the estate.",
        "Somebody changed the address, ordered twice and changed it back; I want the log of it.",
        "It was locked for fraud, nobody tells me why, and my salary card is attached to it.",
        "We were three people sharing it; two of us have separated and both claim the credit.",
        "I asked for all my data to be deleted, and now the open warranty has vanished too.",
        "It was merged with a stranger's account of the same name, and I can see their orders.",
    ],
};

const TASKS: [&Phrases; 4] = [&REFUND, &HOW_TO, &COMPLAINT, &ACCOUNT];

const AGAIN: [&str; 4] = [
    "Thanks for the answer, but it does not solve it yet.",
    "I tried what you said, and this is where I am now.",
    "One more thing on the same matter.",
    "Following up on my message from before.",
];

/// A message of task number `task`; `call` counts from 0 within the errand.
pub(super) fn write(task: usize, difficulty: f64, call: usize, dice: &mut Dice) -> String {
    let phrases = TASKS[task];
    let mut parts = vec![dice.pick(&GREETINGS)];
    if call > 0 {
        parts.push(dice.pick(&AGAIN));
    }
    parts.push(dice.pick(&phrases.openings));
    let hard = |dice: &mut Dice| dice.happens(0.5 + 0.45 * difficulty);
    for _ in 0..=usize::from(dice.happens(0.5)) {
        let hard = hard(dice);
        let pool = if hard { &phrases.hard } else { &phrases.easy };
        parts.push(dice.pick(pool));
    }
    parts.push(dice.pick(&PARTICULARS));
    if hard(dice) && dice.happens(0.6) {
        parts.push(dice.pick(&ANNOYED));
    }
    parts.push(dice.pick(&CLOSINGS));
    parts.dedup();
    let mut text = parts.join(" ");
    if hard(dice) && dice.happens(0.4) {
        text.push_str(dice.pick(&QUOTES));
    }
    let order = format!("{:06}", dice.between(100_000.0, 999_999.0) as u32);
    let product = dice.pick(&PRODUCTS);
    text.replace("{p}", product).replace("{o}", &order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_100_to_1500_characters_with_no_gap_left_open() {
        for key in 0..2_000 {
            let mut dice = Dice::new(&[key]);
            let difficulty = dice.between(-1.0, 1.0);
            let text = write(key as usize % 4, difficulty, key as usize % 2, &mut dice);
            let length = text.chars().count();
            assert!((100..=1500).contains(&length), "{length}: {text}");
            assert!(!text.contains("{p}") && !text.contains("{o}"), "{text}");
        }
    }

    #[test]
    fn a_hard_errand_is_told_at_greater_length() {
        let length = |difficulty: f64| -> usize {
            let texts = (0..1_000).map(|key| write(0, difficulty, 0, &mut Dice::new(&[key])));
            texts.map(|text| text.chars().count()).sum()
        };
        assert!(length(-1.0) < length(0.0) && length(0.0) < length(1.0));
    }
}
