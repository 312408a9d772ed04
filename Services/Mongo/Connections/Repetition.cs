namespace Platform.Mongo.Connections;

/// <summary>What the caller knows about a unit of work: whether carrying it out twice is the same as once.</summary>
public enum Repetition
{
    /// <summary>
    /// It must not be repeated: when its outcome is unknown, a second run could do it twice. It fails with its first error.
    /// </summary>
    Refused,

    /// <summary>
    /// It may be repeated from its start: it only reads, or it finds out itself what an earlier run of it did (by a key chosen
    /// before the first run, for instance). It changes nothing but the database.
    /// </summary>
    Allowed,
}
