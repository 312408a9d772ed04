namespace Platform.Hosting.Mongo;

/// <summary>The MongoDB container image; an upgrade changes this file alone.</summary>
/// <remarks>
/// The digest is that of the image for all platforms (8.0.28), as the publisher lists it:
/// <see href="https://github.com/docker-library/repo-info/blob/master/repos/mongo/remote/8.0.md"/>
/// </remarks>
public static class MongoImage
{
    /// <summary>What the digest was a name of, for people.</summary>
    public const string Tag = "8.0";

    /// <summary>What is run: a tag can be given to another image, a digest cannot.</summary>
    public const string Digest = "98605bfa1bb2a15dd82109e1d78ad31527a9a744909fab4606076fa71a0ae515";

    /// <summary>The image of Percona Server for MongoDB: a tag, as no digest of it was verified. Platform:Mongo:Image names one by its digest.</summary>
    public const string Percona = "percona/percona-server-mongodb:8.0";

    /// <summary>The id of the user as whom the servers of that image run; those of the official one run as root here.</summary>
    public const int PerconaUser = 1001;
}
