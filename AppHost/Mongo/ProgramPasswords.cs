using Platform.Hosting.Mongo;

namespace Platform.AppHost.Mongo;

/// <summary>The passwords of the programs that reach a database as users of their own, by the names of their resources.</summary>
internal sealed record ProgramPasswords(IReadOnlyDictionary<string, ParameterResource> Of) : IResourceAnnotation
{
    /// <summary>The password of a program; null where it has none.</summary>
    /// <param name="database">The database.</param>
    /// <param name="program">The name of the program's resource.</param>
    public static ParameterResource? Find(MongoReplicaSetDatabaseResource database, string program) =>
        database.TryGetLastAnnotation<ProgramPasswords>(out var passwords) ? passwords.Of.GetValueOrDefault(program) : null;
}
