namespace Platform.Hosting.Mongo;

/// <summary>Whose MongoDB the engine <c>containers</c> runs.</summary>
public enum MongoEdition
{
    /// <summary>MongoDB Community, the official image.</summary>
    Community,

    /// <summary>Percona Server for MongoDB, which encrypts its data and writes an audit log.</summary>
    Percona,
}
