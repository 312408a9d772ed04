using Platform.AppHost.Security;
using Platform.AppHost.Services;
using Platform.Hosting.Mongo;
using Platform.Hosting.Servers;

namespace Platform.AppHost.Mongo;

/// <summary>Who reaches the database as whom.</summary>
internal static class DatabaseAccessExtensions
{
    /// <summary>
    /// Gives programs users of their own, and adds the job that makes them with their roles as the access catalogue says: nobody but it is given the
    /// administrator's password. Null where there is no such job, as the servers are not this graph's: the connection string that was given is everybody's.
    /// </summary>
    /// <typeparam name="TMigrator">The program with the command <c>access apply</c>.</typeparam>
    /// <param name="database">The database.</param>
    /// <param name="programs">The names of the programs' resources.</param>
    public static IResourceBuilder<ProjectResource>? AddAccess<TMigrator>(
        this IResourceBuilder<MongoReplicaSetDatabaseResource> database, params ReadOnlySpan<string> programs)
        where TMigrator : IProjectMetadata, new()
    {
        if (database.Resource.Parent.External is not null)
        {
            return null;
        }

        var builder = database.ApplicationBuilder;
        var access = builder.AddJob<TMigrator>(ResourceNames.Access)
            .WithArgs("access", "apply")
            .WithReference(database)
            .WaitFor(database);
        var passwords = new SortedDictionary<string, ParameterResource>(StringComparer.Ordinal);
        foreach (var program in programs)
        {
            var password = builder.AddGeneratedSecret($"{database.Resource.Parent.Name}-{program}-password", length: 22)
                .WithPasswordFile(database.Resource.Parent.DataDirectory!);
            passwords.Add(program, password.Resource);
            access.WithEnvironment(SettingNames.PasswordOf(program), password)
                .WithPasswordFile(SettingNames.PasswordFileOf(program), password.Resource);
        }

        database.WithAnnotation(new ProgramPasswords(passwords));
        return access;
    }

    /// <summary>Refers to the database as <c>WithReference</c> does, and logs in as the user of the program's own where there is one.</summary>
    /// <param name="service">The program.</param>
    /// <param name="database">The database.</param>
    /// <param name="program">Whose user it is; default: that of the program's resource.</param>
    public static IResourceBuilder<T> WithDatabase<T>(
        this IResourceBuilder<T> service, IResourceBuilder<MongoReplicaSetDatabaseResource> database, string? program = null)
        where T : IResourceWithEnvironment
    {
        if (database.Resource.Parent.External is not null)
        {
            return service.WithReference(database);
        }

        program ??= service.Resource.Name;
        var password = ProgramPasswords.Find(database.Resource, program)
            ?? throw new InvalidOperationException($"The program '{program}' has no user of the database '{database.Resource.Name}'.");
        return service
            .WithReferenceRelationship(database.Resource)
            .WithEnvironment(
                $"ConnectionStrings__{database.Resource.Name}",
                database.Resource.ConnectionStringOf(MongoNames.UserOf(database.Resource.DatabaseName, program), password))
            .WithPasswordFile(SettingNames.MongoPasswordFile, password);
    }

    /// <summary>Has a program that may not read the history of migrations look at the view of it, where there is one.</summary>
    public static IResourceBuilder<T> WithMigrationStates<T>(
        this IResourceBuilder<T> service, IResourceBuilder<ProjectResource>? access)
        where T : IResourceWithEnvironment
        => access is null ? service : service.WithEnvironment(SettingNames.MigrationCheckCollection, CollectionNames.MigrationStates);

    /// <summary>Waits for the users to be there, or for the database where nobody makes any.</summary>
    public static IResourceBuilder<T> WaitForAccess<T>(
        this IResourceBuilder<T> service, IResourceBuilder<MongoReplicaSetDatabaseResource> database, IResourceBuilder<ProjectResource>? access)
        where T : IResourceWithWaitSupport
    {
        service.WaitFor(database);
        return access is null ? service : service.WaitForCompletion(access);
    }
}
