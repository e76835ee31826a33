//! Whether a reply is one: read from end to end, by rules written a second time.

const HEADER: usize = 12;
const OPT: u16 = 41;
const ECS: u16 = 8;
const PLAIN_MAX: usize = 512;
const EDNS_MAX: usize = 1232;

/// The client subnet of a reply, if it has one.
#[derive(Debug, Clone, Copy)]
pub struct Echo {
    pub family: u16,
    pub source: u8,
    pub scope: u8,
}

/// What a reply holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    pub rcode: u8,
    pub answers: usize,
    /// Where the first record behind the question starts, and where OPT does.
    pub records: (usize, usize),
    pub echo: Option<Echo>,
}

/// Read a reply to a packet; panics where it is not one.
pub fn check(packet: &[u8], reply: &[u8], tcp: bool) -> Seen {
    assert!(reply.len() >= HEADER, "a header at least");
    assert_eq!(reply[..2], packet[..2], "the ID is that of the query");
    assert_ne!(reply[2] & 0x80, 0, "QR");
    assert_eq!(
        reply[2] & 0x78,
        packet[2] & 0x78,
        "the opcode is that of the query"
    );
    let mut seen = Seen {
        rcode: reply[3] & 15,
        ..Seen::default()
    };
    let questions = number(reply, 4);
    assert!(questions <= 1, "one question");
    let mut at = HEADER;
    for _ in 0..questions {
        let start = at;
        at = name(reply, at) + 4;
        assert_eq!(
            reply[start..at],
            packet[start..at],
            "the question as it was sent"
        );
    }
    seen.answers = number(reply, 6);
    seen.records = (at, reply.len());
    let counts = [6, 8, 10].map(|place| number(reply, place));
    let mut opts = 0;
    for _ in 0..counts.iter().sum() {
        let start = at;
        at = name(reply, at);
        let (kind, size) = (number(reply, at), number(reply, at + 8));
        let data = &reply[at + 10..at + 10 + size];
        at += 10 + size;
        if kind == usize::from(OPT) {
            opts += 1;
            seen.records.1 = start;
            seen.echo = options(data);
        }
    }
    assert_eq!(at, reply.len(), "nothing follows the last record");
    assert!(opts <= 1, "one OPT");
    let limit = if opts == 1 { EDNS_MAX } else { PLAIN_MAX };
    let limit = if reply[2] & 2 != 0 {
        packet.len().max(PLAIN_MAX)
    } else {
        limit
    };
    assert!(
        tcp || reply.len() <= limit,
        "{} octets over UDP",
        reply.len()
    );
    seen
}

/// Where a name ends.
fn name(message: &[u8], mut at: usize) -> usize {
    loop {
        let length = usize::from(message[at]);
        if length >= 0xC0 {
            let target = number(message, at) & 0x3FFF;
            assert!(target >= HEADER && target < at, "a pointer points back");
            return at + 2;
        }
        assert!(length < 64, "a label");
        at += length + 1;
        if length == 0 {
            return at;
        }
    }
}

fn options(mut data: &[u8]) -> Option<Echo> {
    let mut echo = None;
    while !data.is_empty() {
        let (code, size) = (number(data, 0), number(data, 2));
        let value = &data[4..4 + size];
        if code == usize::from(ECS) {
            assert!(echo.is_none(), "one client subnet");
            let (source, scope) = (value[2], value[3]);
            let family = number(value, 0) as u16;
            assert_eq!(value.len(), 4 + usize::from(source).div_ceil(8));
            assert!(scope <= if family == 1 { 32 } else { 128 }, "scope {scope}");
            echo = Some(Echo {
                family,
                source,
                scope,
            });
        }
        data = &data[4 + size..];
    }
    echo
}

/// A number of 16 bits.
fn number(octets: &[u8], at: usize) -> usize {
    usize::from(u16::from_be_bytes([octets[at], octets[at + 1]]))
}
