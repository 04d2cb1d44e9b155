//! Bearer tokens: ours, and those of configured issuers.

use super::{
    Denied, Keyring, Known, Proof,
    jwt::{self, Claims, Parsed},
};
use crate::inbound::{
    credentials::{Algorithm, Issuer},
    jwks::KeySets,
    token,
};

/// What a token is checked against.
#[derive(Debug)]
pub(super) struct Check<'k, 's> {
    pub(super) keyring: &'k Keyring,
    pub(super) audience: &'s str,
    pub(super) key_sets: &'s KeySets,
    pub(super) now: jiff::Timestamp,
}

impl<'k> Check<'k, '_> {
    /// Whose token this is.
    pub(super) async fn token(&self, text: &str) -> Result<&'k Known, Denied> {
        let parsed = Parsed::read(text)?;
        if parsed.issuer() == Some(token::ISSUER) && parsed.algorithm() == Some("HS256") {
            return self.own(&parsed);
        }
        let mut why = Denied("the token's issuer is not known here".to_owned());
        for known in &self.keyring.0 {
            let Proof::Jwt(issuer) = &known.proof else { continue };
            if parsed.issuer() != Some(&*issuer.issuer) {
                continue;
            }
            match self.foreign(&parsed, issuer).await {
                Ok(()) => return Ok(known),
                Err(denied) => why = denied,
            }
        }
        Err(why)
    }

    fn own(&self, parsed: &Parsed<'_>) -> Result<&'k Known, Denied> {
        let client = parsed.subject().unwrap_or_default();
        let owner = self.keyring.0.iter().find_map(|known| match &known.proof {
            Proof::Client { id, .. } if id == client => Some((known, known.signing.as_ref()?)),
            _ => None,
        });
        let unknown = || Denied("the token is not one of ours".to_owned());
        let (known, key) = owner.ok_or_else(unknown)?;
        if !key.signed(parsed.signed, &parsed.signature) {
            return Err(unknown());
        }
        parsed.check(&Claims { audience: self.audience, further: None, now: self.now })?;
        Ok(known)
    }

    async fn foreign(&self, parsed: &Parsed<'_>, issuer: &Issuer) -> Result<(), Denied> {
        let algorithm = match parsed.algorithm() {
            Some("RS256") => Algorithm::Rs256,
            Some("PS256") => Algorithm::Ps256,
            Some("ES256") => Algorithm::Es256,
            _ => return Err(Denied("the token's algorithm is not accepted here".to_owned())),
        };
        if !issuer.algorithms.contains(&algorithm) {
            return Err(Denied("the token's algorithm is not accepted here".to_owned()));
        }
        let keys = self.key_sets.find(&issuer.jwks_url, parsed.key_id()).await?;
        let signed = |key: &jwt::Jwk| {
            key.fits(algorithm) && key.signed(algorithm, parsed.signed, &parsed.signature)
        };
        if !keys.iter().any(signed) {
            return Err(Denied("the token's signature is wrong".to_owned()));
        }
        let further = Some(&issuer.claims);
        parsed.check(&Claims { audience: &issuer.audience, further, now: self.now })
    }
}
