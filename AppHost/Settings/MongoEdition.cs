namespace Platform.AppHost.Settings;

/// <summary>Whose MongoDB the engine <c>containers</c> runs.</summary>
internal enum MongoEdition
{
    /// <summary>MongoDB Community, the official image.</summary>
    Community,

    /// <summary>Percona Server for MongoDB, which encrypts its data and writes an audit log.</summary>
    Percona,
}
