//! DNS cookies: a sign that a client really is where its packets say (RFC 7873, RFC 9018).

use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use crate::source::Source;

const CLIENT_OCTETS: usize = 8;
pub(crate) const COOKIE_OCTETS: usize = 24;
const VALID_S: i32 = 3600; // RFC 9018 section 4.3
const FUTURE_S: i32 = 300; // RFC 9018 section 4.3
const RENEW_S: i32 = 1800; // RFC 9018 section 4.3
const VERSION: u8 = 1; // RFC 9018 section 4.1
const HEAD: [u8; 4] = [VERSION, 0, 0, 0]; // three octets are reserved

/// A secret of the server cookie.
pub(crate) type Secret = [u8; 16];

/// The verdict on a COOKIE option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cookie {
    /// What the reply's option holds.
    pub(crate) octets: [u8; COOKIE_OCTETS],
    /// The client could only have its own from us.
    pub(crate) is_valid: bool,
}

/// Judge an option; None if its length is not one (FORMERR).
///
/// The first secret signs, all verify: that is how one is rolled over (RFC 9018 section 5).
pub(crate) fn judge(
    option: &[u8],
    client: Source,
    secrets: &[Secret],
    now_s: u64,
) -> Option<Cookie> {
    // RFC 7873 section 5.2.2: the option is 8 octets, or 16 to 40.
    if option.len() != CLIENT_OCTETS && !(16..=40).contains(&option.len()) {
        return None;
    }
    let (&mine, theirs) = option.split_first_chunk::<CLIENT_OCTETS>()?;
    let signer = secrets.first()?;
    let [.., n1, n2, n3, n4] = now_s.to_be_bytes();
    let now = u32::from_be_bytes([n1, n2, n3, n4]);
    if let Ok(&[h1, h2, h3, h4, t1, t2, t3, t4, ref hash @ ..]) = <&[u8; 16]>::try_from(theirs) {
        let made = u32::from_be_bytes([t1, t2, t3, t4]);
        // RFC 9018 section 4.3: serial arithmetic, for the time stamp has 32 bits.
        let age = i32::from_ne_bytes(now.wrapping_sub(made).to_ne_bytes());
        // RFC 9018 section 4.2: reserved octets are hashed as they came, whatever they are.
        let head = [h1, h2, h3, h4];
        let is_ours = |secret: &Secret| sign(secret, mine, head, made, client) == *hash;
        let is_valid =
            h1 == VERSION && (-FUTURE_S..=VALID_S).contains(&age) && secrets.iter().any(is_ours);
        if is_valid && age < RENEW_S && head == HEAD && is_ours(signer) {
            let octets = *option.first_chunk()?;
            return Some(Cookie { octets, is_valid });
        }
        return Some(fresh(signer, mine, now, client, is_valid));
    }
    Some(fresh(signer, mine, now, client, false))
}

fn fresh(secret: &Secret, mine: [u8; 8], now: u32, client: Source, is_valid: bool) -> Cookie {
    let mut octets = [0; COOKIE_OCTETS];
    let parts = [
        &mine[..],
        &HEAD,
        &now.to_be_bytes(),
        &sign(secret, mine, HEAD, now, client),
    ];
    for (to, from) in octets.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
    Cookie { octets, is_valid }
}

/// The hash of RFC 9018 section 4.4: SipHash-2-4 of client cookie, head, time stamp, address.
fn sign(secret: &Secret, mine: [u8; 8], head: [u8; 4], made: u32, client: Source) -> [u8; 8] {
    let mut hasher = SipHasher24::new_with_key(secret);
    hasher.write(&mine);
    hasher.write(&head);
    hasher.write(&made.to_be_bytes());
    match client {
        Source::V4(address) => hasher.write(&address.to_be_bytes()),
        Source::V6(address) => hasher.write(&address.to_be_bytes()),
    }
    hasher.finish().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Cookie, judge};
    use crate::source::Source;

    const SECRET: [u8; 16] = 0xe5e9_73e5_a6b2_a43f_48e7_dc84_9e37_bfcf_u128.to_be_bytes();

    /// RFC 9018 appendix A.1 and A.2: a cookie learned, and renewed after half an hour.
    #[test]
    fn cookies_are_those_of_the_rfc() {
        let client = Source::from("198.51.100.100".parse::<std::net::IpAddr>().unwrap());
        let learned = judge(
            &[0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57],
            client,
            &[SECRET],
            1_559_731_985,
        );
        let wanted = 0x2464_c4ab_cf10_c957_0100_0000_5cf7_9f11_u128.to_be_bytes();
        let hash = 0x1f81_30c3_eee2_9480_u64.to_be_bytes();
        let learned = learned.unwrap();
        assert_eq!(learned.octets[..16], wanted);
        assert_eq!(learned.octets[16..], hash);
        assert!(!learned.is_valid);
        let again = judge(&learned.octets, client, &[SECRET], 1_559_731_985 + 60).unwrap();
        assert_eq!(
            again,
            Cookie {
                is_valid: true,
                ..learned
            }
        );
        let other = judge(
            &learned.octets,
            Source::V4(1),
            &[SECRET],
            1_559_731_985 + 60,
        )
        .unwrap();
        assert!(!other.is_valid);
        let late = judge(&learned.octets, client, &[SECRET], 1_559_731_985 + 3601).unwrap();
        assert!(!late.is_valid);
    }

    #[test]
    fn a_secret_that_is_rolled_out_still_verifies_but_no_longer_signs() {
        let (old, new, client) = ([1; 16], [2; 16], Source::V4(7));
        let made = judge(&[0; 8], client, &[old], 1000).unwrap();
        let seen = judge(&made.octets, client, &[new, old], 1001).unwrap();
        assert!(seen.is_valid);
        assert_ne!(seen.octets, made.octets);
        assert_eq!(judge(&[0; 9], client, &[new], 0), None);
    }
}
