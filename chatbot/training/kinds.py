"""The sorts of records that made pages tell of, with how people ask for what is told."""

from __future__ import annotations

from chatbot.training.records import (
    Kind,
    Property,
    choose_from,
    make_code,
    make_count,
    make_date,
    make_days,
    make_digits,
    make_interval,
    make_minutes,
    make_money,
    make_percent,
    make_person,
    make_place,
    make_role,
    make_time,
    make_weekday,
    make_where,
    make_year,
    name_after,
)

PRICE = Property(
    ("Price", "Fee", "Cost", "Rate", "Charge"),
    make_money,
    (
        "How much is {e}?",
        "What does {e} cost?",
        "How much do I have to pay for {e}?",
        "What do you charge for {e}?",
        "what's the price of {e}",
        "How expensive is {e}?",
    ),
    ("{e} costs {v}.", "For {e} we charge {v}.", "The price of {e} is {v}.", "You pay {v} for {e}."),
    (
        "The price of {e} is set anew every spring.",
        "{e} is paid for at the desk, by card only.",
        "Ask the office what {e} costs at present.",
    ),
)
REDUCED = Property(
    ("Children", "Reduced", "Members", "Concession"),
    make_money,
    (
        "How much is {e} for a child?",
        "What do members pay for {e}?",
        "Is there a lower price of {e}, and how much?",
    ),
    ("Children and members pay {v} for {e}.", "The reduced price of {e} is {v}."),
    ("Proof of age is asked for when {e} is sold to children and members.",),
)
DEADLINE = Property(
    ("Deadline", "Due by", "Hand in by", "Last day"),
    make_date,
    (
        "When is {e} due?",
        "By when must {e} be handed in?",
        "What is the deadline for {e}?",
        "until when can I send {e}",
        "How late can I hand in {e}?",
    ),
    ("{e} must reach us by {v}.", "The last day for {e} is {v}.", "Hand in {e} no later than {v}."),
    ("The deadline for {e} is published in the staff letter.", "{e} that comes too late is sent back."),
)
OPENING = Property(
    ("Opens", "Opening time", "From", "Start"),
    make_time,
    (
        "When does {e} open?",
        "From what time is {e} open?",
        "How early can I come to {e}?",
        "At what time do you open {e}?",
    ),
    ("{e} opens at {v}.", "From {v} on {e} is open.", "You find {e} open from {v}."),
    ("The opening hours of {e} hang at the door.", "{e} opens later on public holidays."),
)
CLOSING = Property(
    ("Closes", "Closing time", "Until", "End"),
    make_time,
    ("When does {e} close?", "Until what time is {e} open?", "How late is {e} open?", "closing time of {e}?"),
    ("{e} closes at {v}.", "{e} is open until {v}.", "At {v} {e} is locked."),
    ("When {e} closes, the lights go off by themselves.",),
)
SEATS = Property(
    ("Seats", "Capacity", "People", "Places", "Room for"),
    make_count("people", 2, 900),
    (
        "How many people fit into {e}?",
        "How big is {e}?",
        "How many can {e} hold?",
        "For how many people is {e}?",
        "What is the capacity of {e}?",
    ),
    ("{e} has room for {v}.", "{e} takes up to {v}.", "Up to {v} fit into {e}."),
    ("{e} is often too small for the spring meeting.", "Count the people before you lock {e}."),
)
LENGTH = Property(
    ("Length", "Length in metres"),
    make_count("metres", 3, 190),
    ("How long is {e}?", "What is the length of {e}?"),
    ("{e} is {v} long.", "{e} measures {v} from end to end."),
    ("The length of {e} was measured again after the rebuild.",),
)
SPEED = Property(
    ("Speed", "Top speed", "Cruising speed"),
    make_count("km/h", 8, 190),
    ("How fast is {e}?", "What speed does {e} reach?", "How fast does {e} go?"),
    ("{e} reaches {v}.", "The top speed of {e} is {v}."),
    (
        "{e} must be stopped when the wind is too fast for it.",
        "The speed of {e} is recorded by the black box.",
    ),
)
BUILT = Property(
    ("Built", "Year", "In service since", "Bought"),
    make_year,
    (
        "When was {e} built?",
        "How old is {e}?",
        "In which year did {e} come into service?",
        "Since when do we have {e}?",
    ),
    ("{e} was built in {v}.", "{e} has been in service since {v}.", "We bought {e} in {v}."),
    ("{e} was built for another firm, long before our time.",),
)
BUILDER = Property(
    ("Builder", "Maker", "Supplier", "Made by"),
    name_after("{place} {word}", "Works", "& Sons", "Engineering", "Yard", "GmbH", "Ltd"),
    ("Who built {e}?", "Which firm made {e}?", "Who is the supplier of {e}?", "Where was {e} made?"),
    ("{e} was built by {v}.", "{v} supplied {e}.", "The maker of {e} is {v}."),
    ("The builder of {e} no longer exists.",),
)
HOME = Property(
    ("Home", "Site", "Based at", "Location", "Town"),
    make_place,
    ("Where is {e}?", "In which town is {e}?", "Where do I find {e}?", "Which site is {e} at?"),
    ("{e} is in {v}.", "You find {e} in {v}.", "{e} is based in {v}."),
    ("{e} moves to another site next year.",),
)
STORED = Property(
    ("Kept in", "Stored", "Where"),
    make_where,
    ("Where is {e} kept?", "Where do I find {e}?", "Where do you keep {e}?", "where can I get {e}"),
    ("{e} is kept in {v}.", "Look for {e} in {v}.", "You find {e} in {v}."),
    ("{e} must always be put back where it was.", "Nobody may borrow {e} without asking."),
)
CONTACT = Property(
    ("Contact", "Responsible", "Ask", "Owner", "In charge"),
    make_role,
    (
        "Who is responsible for {e}?",
        "Whom do I ask about {e}?",
        "Who looks after {e}?",
        "Who do I have to talk to about {e}?",
        "who is in charge of {e}",
    ),
    ("{v} looks after {e}.", "Questions about {e} go to {v}.", "For {e} ask {v}."),
    ("Several people look after {e}, in turn.",),
)
APPROVER = Property(
    ("Approved by", "Signed by", "Consent of"),
    make_role,
    (
        "Who approves {e}?",
        "Who has to sign {e}?",
        "Whose consent do I need for {e}?",
        "Who must agree to {e}?",
    ),
    ("{e} is approved by {v}.", "{v} must agree to {e}.", "{e} needs the signature of {v}."),
    ("{e} must be approved before anything is ordered.", "Nobody approves {e} for themselves."),
)
HEAD = Property(
    ("Manager", "Head", "Led by", "Contact person"),
    make_person,
    ("Who runs {e}?", "Who is the manager of {e}?", "Who leads {e}?", "What is the name of the head of {e}?"),
    ("{e} is led by {v}.", "{v} runs {e}.", "The manager of {e} is {v}."),
    ("The manager of {e} changes every two years.",),
)
PHONE = Property(
    ("Extension", "Phone", "Number"),
    make_digits,
    (
        "What is the phone number of {e}?",
        "Which extension has {e}?",
        "How do I reach {e} by phone?",
        "What number do I ring for {e}?",
    ),
    ("{e} is on extension {v}.", "Ring {v} for {e}.", "The number of {e} is {v}."),
    ("Nobody answers the phone of {e} at night.", "The number of {e} is in the phone book."),
)
SECRET = Property(
    ("Code", "PIN", "Password"),
    make_digits,
    (
        "What is the code of {e}?",
        "Which code opens {e}?",
        "What's the password for {e}?",
        "What is the PIN of {e}?",
    ),
    ("The code of {e} is {v}.", "Type {v} to open {e}."),
    (
        "The code of {e} is changed on the first of every month.",
        "Never tell anybody the password of {e}.",
        "The code of {e} is given by the shift leader.",
        "Phones and computers find {e} by themselves, without a password.",
    ),
)
NOTICE = Property(
    ("Notice", "Notice period", "Tell us", "Ask beforehand"),
    make_days,
    (
        "How long before must I ask for {e}?",
        "What notice do I have to give for {e}?",
        "How early do I have to announce {e}?",
        "How far ahead must {e} be booked?",
    ),
    ("Ask for {e} at least {v} before.", "{e} needs {v} of notice.", "Book {e} {v} ahead."),
    ("Tell your manager early when you need {e}.",),
)
LASTS = Property(
    ("Length", "Duration", "Days", "Up to", "Entitlement"),
    make_days,
    (
        "How long is {e}?",
        "How many days of {e} do I get?",
        "How much {e} am I entitled to?",
        "How long does {e} last?",
        "For how long can I take {e}?",
    ),
    (
        "{e} lasts {v}.",
        "You get {v} of {e}.",
        "{e} is granted for up to {v}.",
        "Everyone is entitled to {v} of {e}.",
    ),
    (
        "{e} may be split into two parts.",
        "{e} can be cut short if both sides agree.",
        "You may ask for {e} in writing.",
    ),
)
PAID = Property(
    ("Paid at", "Share", "Pay", "We pay"),
    make_percent,
    ("How much of my pay do I get during {e}?", "What share of {e} do you pay?", "At what rate is {e} paid?"),
    ("{e} is paid at {v}.", "We pay {v} of {e}.", "During {e} you receive {v} of your pay."),
    ("{e} is paid with the next salary.",),
)
FORM = Property(
    ("Form", "Form number", "Use form"),
    make_code,
    ("Which form do I need for {e}?", "What form is used for {e}?", "On which form do I ask for {e}?"),
    ("Use form {v} for {e}.", "{e} is asked for on form {v}.", "Fill in {v} for {e}."),
    ("The form for {e} is being rewritten.", "Forms for {e} lie at reception."),
)
LIMIT = Property(
    ("Limit", "At most", "Maximum", "Up to"),
    make_money,
    ("What is the limit for {e}?", "How much may I spend on {e}?", "Up to what amount is {e} refunded?"),
    ("The limit for {e} is {v}.", "We refund {e} up to {v}.", "You may spend {v} on {e}."),
    ("{e} above the limit is paid by yourself.",),
)
FIRST = Property(
    ("First departure", "First", "Leaves"),
    make_time,
    (
        "When does the first {e} leave?",
        "When is the earliest {e}?",
        "At what time does {e} start in the morning?",
    ),
    ("The first {e} leaves at {v}.", "{e} starts at {v} in the morning."),
    ("The first {e} is often full.",),
)
LAST = Property(
    ("Last departure", "Last", "Final run"),
    make_time,
    ("When does the last {e} go?", "When is the latest {e}?", "What time is the last {e} of the day?"),
    ("The last {e} leaves at {v}.", "After {v} there is no {e} any more."),
    ("The last {e} waits for nobody.",),
)
TAKES = Property(
    ("Takes", "Minutes", "Duration", "Crossing time"),
    make_minutes,
    ("How long does {e} take?", "How many minutes is {e}?", "How much time do I need for {e}?"),
    ("{e} takes {v}.", "Allow {v} for {e}.", "{e} lasts {v}."),
    ("{e} takes longer in bad weather.",),
)
REPEATED = Property(
    ("Every", "Interval", "How often", "Frequency"),
    make_interval,
    (
        "How often is {e} done?",
        "How frequently is {e} checked?",
        "How often must {e} be renewed?",
        "at what intervals is {e} due?",
    ),
    ("{e} is due {v}.", "{e} is checked {v}.", "{e} must be renewed {v}."),
    ("{e} is written into the log each time.", "Nobody may skip {e}."),
)
DAY = Property(
    ("Day", "Weekday", "On"),
    make_weekday,
    ("On which day is {e}?", "What day of the week is {e}?", "Which weekday is {e} on?", "When is {e}?"),
    ("{e} is on {v}.", "We hold {e} on {v}s.", "{v} is the day of {e}."),
    ("The day of {e} may change; look at the board.", "{e} is the day everybody looks forward to."),
)
WEIGHT = Property(
    ("Weight", "Load", "Limit", "Carries"),
    make_count("kg", 2, 9000),
    ("How much weight can {e} carry?", "How heavy is {e}?", "What load is {e} made for?"),
    ("{e} carries {v}.", "{e} is made for {v}.", "Load {e} with no more than {v}."),
    ("Do not overload {e}.",),
)
STEPS = choose_from(
    "switch it off and on again",
    "call the Service Desk",
    "replace the filter",
    "close the valve by hand",
    "clean the sensor",
    "wait ten minutes and try again",
    "top up the coolant",
    "tell the shift leader",
    "change the battery",
    "check that the lid is shut",
    "restart the printer queue",
    "use the spare pump",
)
CAUSES = choose_from(
    "the oil pressure is too low",
    "the door is not closed",
    "the card has expired",
    "no signal from the sensor",
    "the tank is nearly empty",
    "the network cannot be reached",
    "the motor is too hot",
    "the password is wrong",
    "a fuse has blown",
    "the paper is jammed",
    "the clock is wrong",
    "the belt is worn",
)
MEANING = Property(
    ("Meaning", "Means", "Cause"),
    CAUSES,
    ("What does {e} mean?", "What is the cause of {e}?", "The display shows {e}, what is wrong?"),
    ("{e} means that {v}.", "{e} is shown when {v}."),
    ("{e} is an old code that the new panels do not show.",),
)
REMEDY = Property(
    ("What to do", "Remedy", "Action"),
    STEPS,
    ("What do I do about {e}?", "How do I fix {e}?", "What to do when {e} comes up?"),
    ("When you see {e}, {v}.", "On {e}: {v}."),
    ("{e} goes into the fault book.",),
)
TERM = Property(
    ("Meaning", "Explanation"),
    choose_from(
        "our system for bookings",
        "the list of who works when",
        "the meeting before each shift",
        "the key cabinet at the gate",
        "the fund for damaged goods",
        "the group that checks accidents",
        "the place where everyone gathers after an alarm",
        "a customer who pays by invoice",
        "the yearly talk with your manager",
        "the shared calendar of the vans",
    ),
    ("What is {e}?", "What does {e} mean?", "what is meant by {e}"),
    ("{e} is {v}.", "By {e} we mean {v}."),
    ("{e} is a word that old hands use a lot.",),
)

KINDS = (
    Kind(
        "Room",
        ("Meeting rooms", "Rooms", "Our building"),
        name_after("the {bird} room"),
        (SEATS, PHONE, OPENING, CLOSING, PRICE, CONTACT, NOTICE, SECRET),
    ),
    Kind(
        "Vehicle",
        ("Vehicles", "The fleet", "Vans and boats"),
        name_after("{word} {tree}", "MV", "van", "MS", "bus"),
        (SEATS, LENGTH, SPEED, BUILT, BUILDER, HOME, WEIGHT, STORED),
    ),
    Kind(
        "Ticket",
        ("Fares", "Prices", "Tickets and passes"),
        name_after(
            "{word}",
            "the day pass",
            "the single ticket",
            "the return ticket",
            "a bicycle",
            "the season card",
            "the group ticket",
            "the locker",
            "the guided tour",
            "a dog",
            "the parking permit",
            "the audio guide",
            "a trailer",
            "the family card",
            "a replacement card",
            "gift wrapping",
            "a lost key",
        ),
        (PRICE, REDUCED, LASTS, CONTACT, NOTICE),
    ),
    Kind(
        "Leave",
        ("Leave", "Time off", "Absence"),
        name_after(
            "{word}",
            "annual leave",
            "parental leave",
            "study leave",
            "unpaid leave",
            "sick leave",
            "bereavement leave",
            "moving leave",
            "volunteer leave",
            "carer's leave",
            "jury service",
            "sabbatical leave",
        ),
        (LASTS, NOTICE, PAID, APPROVER, FORM, DEADLINE),
    ),
    Kind(
        "Claim",
        ("Expenses", "Travel and expenses", "What we refund"),
        name_after(
            "{word}",
            "hotel rooms",
            "breakfast",
            "dinner",
            "train tickets",
            "taxi rides",
            "glasses",
            "work shoes",
            "conference fees",
            "a home desk",
            "books",
            "phone calls",
            "lunch with customers",
            "parking",
        ),
        (LIMIT, APPROVER, FORM, DEADLINE, PAID, CONTACT),
    ),
    Kind(
        "Course",
        ("Training", "Courses", "What you must have learned"),
        name_after(
            "{word}",
            "first aid",
            "fire safety",
            "the forklift licence",
            "data protection",
            "the crane course",
            "manual handling",
            "food hygiene",
            "working at height",
            "the induction day",
            "the sea survival course",
        ),
        (TAKES, REPEATED, PRICE, CONTACT, HOME, DAY),
    ),
    Kind(
        "Line",
        ("Timetable", "Departures", "Shuttle services"),
        name_after("{word} to {place}", "bus", "ferry", "shuttle", "train", "night bus"),
        (FIRST, LAST, TAKES, PRICE, CONTACT),
    ),
    Kind(
        "Code",
        ("Error codes", "Faults", "Messages of the machine"),
        name_after("{code}"),
        (MEANING, REMEDY, CONTACT),
    ),
    Kind(
        "Device",
        ("Equipment", "Machines", "Tools"),
        name_after(
            "the {word} {code}",
            "pump",
            "crane",
            "printer",
            "compressor",
            "scanner",
            "forklift",
            "pallet truck",
            "defibrillator",
            "generator",
            "saw",
            "oven",
        ),
        (STORED, WEIGHT, REPEATED, BUILT, BUILDER, CONTACT, PHONE),
    ),
    Kind(
        "Office",
        ("Offices", "Sites", "Where we are"),
        name_after("the {place} {word}", "office", "depot", "branch", "shop", "terminal", "library"),
        (HEAD, PHONE, OPENING, CLOSING, SEATS, BUILT, SECRET),
    ),
    Kind(
        "Meeting",
        ("Meetings", "Fixed dates", "What happens when"),
        name_after(
            "the {word}",
            "staff meeting",
            "safety walk",
            "fire drill",
            "stock count",
            "payroll run",
            "board meeting",
            "team lunch",
            "server maintenance",
            "window cleaning",
            "waste collection",
            "anchor day",
        ),
        (DAY, FIRST, TAKES, CONTACT, REPEATED),
    ),
    Kind(
        "Word",
        ("Glossary", "Words we use", "Abbreviations"),
        name_after("the {place} {word}", "board", "list", "round", "box", "fund", "point"),
        (TERM, CONTACT, STORED),
    ),
    Kind(
        "Document",
        ("Forms and reports", "Paperwork", "What must be handed in"),
        name_after(
            "the {word}",
            "accident report",
            "holiday plan",
            "time sheet",
            "budget request",
            "tax statement",
            "monthly report",
            "travel plan",
            "address change",
            "inventory list",
            "risk assessment",
        ),
        (DEADLINE, FORM, APPROVER, CONTACT, STORED, REPEATED),
    ),
)
