//! Tokens by which programs use the HTTP API.

use gatepost_message::Millis;

use crate::{
    AccountId, ApiScope, ApiToken, Directory, DirectoryError, Name, PresentedToken, StoredApiToken,
    rules::api_token,
};

type Result<T> = std::result::Result<T, DirectoryError>;

impl Directory {
    /// Adds a token, and returns it with the secret, which is shown this once.
    ///
    /// # Errors
    /// There is no such account, the owner has 50 tokens, or the store failed.
    pub fn add_api_token(
        &self,
        account: Option<AccountId>,
        scope: ApiScope,
        name: Name,
        now: Millis,
        expires: Option<Millis>,
    ) -> Result<(ApiToken, PresentedToken)> {
        let presented = PresentedToken::random()?;
        let added = StoredApiToken {
            token: ApiToken {
                id: presented.id().to_owned(),
                account,
                scope,
                name,
                created: now,
                expires,
                last_used: None,
            },
            digest: presented.digest(),
        };
        let token = self.change(|view, _| api_token::add(view, added))?;
        Ok((token, presented))
    }

    /// Removes a token, which is refused from now on: one of this account, or any if none is given.
    ///
    /// # Errors
    /// There is no such token, or the store failed.
    pub fn remove_api_token(&self, account: Option<AccountId>, id: &str) -> Result<ApiToken> {
        self.change(|view, _| api_token::remove(view, account, id))
    }

    /// Returns the token that is presented, if it is in force and its use was recorded within the last
    /// minute: nothing is written, and nothing waits for the disk.
    pub fn recently_used_api_token(
        &self,
        presented: &PresentedToken,
        now: Millis,
    ) -> Option<ApiToken> {
        let view = self.view();
        let token = api_token::find(&view, presented, now)?;
        (!api_token::is_use_recorded(token, now)).then(|| token.clone())
    }

    /// Returns the token that is presented, if it is in force, and records its use once a minute,
    /// which may block for a commit.
    ///
    /// # Errors
    /// The store failed.
    pub fn use_api_token(
        &self,
        presented: &PresentedToken,
        now: Millis,
    ) -> Result<Option<ApiToken>> {
        let view = self.view();
        let Some(token) = api_token::find(&view, presented, now) else {
            return Ok(None);
        };
        if api_token::is_use_recorded(token, now) {
            self.change(|view, _| api_token::used(view, presented.id(), now))?;
        }
        Ok(Some(token.clone()))
    }
}
