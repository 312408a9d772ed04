namespace Platform;

/// <summary>Names fixed across everything that talks to MongoDB.</summary>
public static class MongoNames
{
    /// <summary>The replica set name that every engine presents.</summary>
    public const string ReplicaSet = "rs0";

    /// <summary>The administrative user that the app graph creates and hands to services.</summary>
    public const string RootUser = "platform";
}
