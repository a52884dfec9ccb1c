//! Which names stand for a secret.

/// What replaces a secret in a recording.
pub(super) const REMOVED: &str = "[secret]";

/// Names of cursors that only look like those of secrets. They are compared by their end.
const CURSORS: [&str; 16] = [
    "pagetoken",
    "pagingtoken",
    "paginationtoken",
    "synctoken",
    "continuationtoken",
    "continuetoken",
    "cursortoken",
    "nexttoken",
    "previoustoken",
    "prevtoken",
    "skiptoken",
    "deltatoken",
    "starttoken",
    "resumetoken",
    "scrolltoken",
    "streamtoken",
];

/// Words that make a name one of a secret.
const SECRET_WORDS: [&str; 16] = [
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "signature",
    "sig",
    "credential",
    "credentials",
    "authorization",
    "apikey",
    "jwt",
    "cookie",
    "auth",
    "assertion",
];

/// Keys that are secrets. A `key` alone is often the name of a record.
const SECRET_KEYS: [&str; 14] = [
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "signingkey",
    "encryptionkey",
    "sharedkey",
    "subscriptionkey",
    "consumerkey",
    "sessionkey",
    "sessionid",
    "accountkey",
    "masterkey",
];

/// What follows a word of a secret in the name of something else.
const NO_SECRETS: [&str; 16] = [
    "type",
    "types",
    "expires",
    "expiry",
    "expiration",
    "in",
    "at",
    "count",
    "limit",
    "url",
    "uri",
    "endpoint",
    "name",
    "ttl",
    "status",
    "scope",
];

/// Parts of names that stand for nothing but a secret.
const SURELY: [&str; 10] = [
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "secret",
    "password",
    "passwd",
    "apikey",
    "signature",
    "authorization",
    "jwt",
];

/// Parts of the names of headers with secrets.
const IN_HEADERS: [&str; 9] = [
    "key",
    "token",
    "secret",
    "signature",
    "authorization",
    "cookie",
    "password",
    "credential",
    "session",
];

/// The letters and digits of a name, in lower case.
fn plain(name: &str) -> String {
    name.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_cursor(plain: &str) -> bool {
    CURSORS.iter().any(|end| plain.ends_with(end))
}

pub(super) fn is_secret_header(name: &str) -> bool {
    let plain = plain(name);
    let is_secret = IN_HEADERS.iter().any(|part| plain.contains(part)) || is_secret_field(name);
    is_secret && !is_cursor(&plain)
}

pub(super) fn is_secret_query(name: &str) -> bool {
    plain(name) == "key" || is_secret_field(name)
}

pub(super) fn is_secret_field(name: &str) -> bool {
    let plain = plain(name);
    if is_cursor(&plain) {
        return false;
    }
    let words = words(name);
    let is_other = words.last().is_some_and(|last| NO_SECRETS.contains(&&**last));
    let is_secret = words.iter().any(|word| SECRET_WORDS.contains(&&**word))
        || SECRET_KEYS.iter().any(|key| plain.ends_with(key))
        || SECRET_WORDS.contains(&&*plain);
    is_secret && !is_other
}

/// Whether a value is no secret but a name of one, as some test accounts have it.
pub(super) fn is_word(value: &str) -> bool {
    SECRET_WORDS.contains(&&*plain(value))
}

/// Whether a name stands for nothing but a secret. One such as `token` may be a cursor.
pub(super) fn is_surely_secret(name: &str) -> bool {
    let plain = plain(name);
    SURELY.iter().any(|part| plain.contains(part))
}

/// The words of a name such as `client_secret` or `clientSecret`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut was_lower = false;
    for it in name.chars() {
        let begins = !it.is_alphanumeric() || (it.is_uppercase() && was_lower);
        if begins && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        was_lower = it.is_lowercase() || it.is_numeric();
        if it.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(it.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::{is_secret_field, is_secret_header, is_secret_query};

    #[test]
    fn names_of_secrets_are_told_from_those_of_cursors_and_records() {
        for name in [
            "api_key",
            "apiKey",
            "API-KEY",
            "apikey",
            "access_token",
            "accessToken",
            "refresh_token",
            "client_secret",
            "password",
            "token",
            "Secret",
            "x-amz-signature",
            "sig",
            "id_token",
            "private_key",
            "sessionId",
            "hapikey",
            "credentials",
            "csrfToken",
            "client_assertion",
        ] {
            assert!(is_secret_field(name) && is_secret_query(name), "{name}");
        }
        for name in [
            "page_token",
            "next_page_token",
            "pageToken",
            "nextPageToken",
            "sync_token",
            "nextSyncToken",
            "continuation_token",
            "NextToken",
            "$skiptoken",
            "token_type",
            "tokens",
            "max_tokens",
            "key",
            "primary_key",
            "cursor",
            "id",
            "author",
            "monkey",
            "",
            "accessTokenExpiresIn",
            "keyset",
            "design",
        ] {
            assert!(!is_secret_field(name), "{name}");
        }
        assert!(is_secret_query("key") && !is_secret_query("page_token"));
        for name in [
            "Authorization",
            "cookie",
            "Set-Cookie",
            "x-api-key",
            "X-Hub-Signature",
            "X-Auth",
            "x-jwt",
        ] {
            assert!(is_secret_header(name), "{name}");
        }
        for name in [
            "accept",
            "x-next-page-token",
            "link",
            "x-request-id",
            "retry-after",
            "www-authenticate",
        ] {
            assert!(!is_secret_header(name), "{name}");
        }
    }
}
