//! The names of everything that can be set.

/// Everything that can be set. One name gives the flag (`--data-dir`), the variable (`GATEWAY_HUB_DATA_DIR`) and the key
/// of the file (`data_dir`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// The address to listen on.
    Listen,
    /// The address under which the hub is reached.
    PublicUrl,
    /// The address for operations.
    OpsListen,
    /// The file of the certificate chain, PEM.
    TlsCert,
    /// The file of the certificate's private key, PEM.
    TlsKey,
    /// The networks of trusted reverse proxies.
    BehindProxy,
    /// The data folder.
    DataDir,
    /// The database.
    DatabaseUrl,
    /// Whether nodes tell each other of changes.
    DatabaseNotify,
    /// What people call this node.
    NodeName,
    /// Sample data.
    Demo,
    /// The algorithm that signs access tokens.
    SigningAlgorithm,
    /// How long an access token lives.
    TokenLifetime,
    /// How often this node reads the changes of the others.
    PollInterval,
    /// After how long without a good poll this node refuses everything.
    StalenessLimit,
    /// How long a node that was told to stop goes on serving.
    DrainTime,
    /// The hub's key itself; only in the environment.
    Key,
    /// The file of the hub's key; not a flag.
    KeyFile,
}

impl Setting {
    /// All settings.
    pub const ALL: [Self; 18] = [
        Self::Listen,
        Self::PublicUrl,
        Self::OpsListen,
        Self::TlsCert,
        Self::TlsKey,
        Self::BehindProxy,
        Self::DataDir,
        Self::DatabaseUrl,
        Self::DatabaseNotify,
        Self::NodeName,
        Self::Demo,
        Self::SigningAlgorithm,
        Self::TokenLifetime,
        Self::PollInterval,
        Self::StalenessLimit,
        Self::DrainTime,
        Self::Key,
        Self::KeyFile,
    ];

    /// The key in the file.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::PublicUrl => "public_url",
            Self::OpsListen => "ops_listen",
            Self::TlsCert => "tls_cert",
            Self::TlsKey => "tls_key",
            Self::BehindProxy => "behind_proxy",
            Self::DataDir => "data_dir",
            Self::DatabaseUrl => "database_url",
            Self::DatabaseNotify => "database_notify",
            Self::NodeName => "node_name",
            Self::Demo => "demo",
            Self::SigningAlgorithm => "signing_algorithm",
            Self::TokenLifetime => "token_lifetime",
            Self::PollInterval => "poll_interval",
            Self::StalenessLimit => "staleness_limit",
            Self::DrainTime => "drain_time",
            Self::Key => "key",
            Self::KeyFile => "key_file",
        }
    }

    /// The flag, `--data-dir`.
    #[must_use]
    pub fn flag(self) -> String {
        format!("--{}", self.key().replace('_', "-"))
    }

    /// The environment variable, `GATEWAY_HUB_DATA_DIR`.
    #[must_use]
    pub fn variable(self) -> String {
        format!("GATEWAY_HUB_{}", self.key().to_ascii_uppercase())
    }

    /// The setting that was probably meant by a key that is none: at most three letters, or a third of it, are different.
    #[must_use]
    pub fn nearest(key: &str) -> Option<Self> {
        let wanted = key.replace('-', "_").to_ascii_lowercase();
        let near = |candidate: &Self| distance(&wanted, candidate.key());
        Self::ALL.into_iter().min_by_key(near).filter(|best| near(best) <= (best.key().len() / 3).min(3))
    }

    /// The key itself is a secret: it belongs neither in a file that is passed around nor on a command line.
    pub(super) const fn allowed_in_file(self) -> bool {
        !matches!(self, Self::Key)
    }
}

/// The keys that the file may have.
pub(super) fn file_keys() -> Vec<&'static str> {
    Setting::ALL.into_iter().filter(|setting| setting.allowed_in_file()).map(Setting::key).collect()
}

/// How many letters differ (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[right.len()]
}
