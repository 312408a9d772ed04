namespace Platform;

/// <summary>Names fixed across everything that talks to MongoDB.</summary>
public static class MongoNames
{
    /// <summary>The replica set name that every engine presents.</summary>
    public const string ReplicaSet = "rs0";

    /// <summary>The administrative user that the app graph creates: for the job that makes all other users, for the graph itself and for a person.</summary>
    public const string RootUser = "platform";

    /// <summary>The user as whom a program of the graph reaches a database, and the role of that user's own; both are on <c>admin</c>.</summary>
    /// <param name="database">The database.</param>
    /// <param name="program">The name of the program's resource.</param>
    public static string UserOf(string database, string program) => $"{database}-{program}";
}
