using Microsoft.Extensions.Hosting;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Tenancy;
using Platform.Jobs;
using Platform.Mongo.Connections;

namespace Platform.Seeder.Storage;

/// <summary>
/// Keeps made-up data out of databases that are not for development. Two things have to agree: the environment of this
/// process, and the mark that the database carries in <c>_environment</c>. A database without a mark gets one only while it is
/// empty, or when a person types its name.
/// </summary>
internal sealed class SeedGuard(PlatformDatabase database, IHostEnvironment environment, TimeProvider time)
{
    // What the platform's programs keep for themselves, also in a database without data. Events that wait are data.
    private static readonly HashSet<string> s_bookkeeping = new(StringComparer.Ordinal)
    {
        CollectionNames.Migrations, CollectionNames.MigrationStates, CollectionNames.HiddenIndexes, CollectionNames.Leases, CollectionNames.SeedMarker,
        CollectionNames.Environment,
    };

    private IMongoCollection<EnvironmentMark> Marks => database.Database.GetCollection<EnvironmentMark>(CollectionNames.Environment).ForDecisions();

    private string DatabaseName => database.Database.DatabaseNamespace.DatabaseName;

    /// <summary>What the database says it is for; null when it says nothing.</summary>
    public async Task<EnvironmentMark?> ReadAsync(CancellationToken cancellationToken) =>
        await Marks.Find(mark => mark.Id == EnvironmentMark.OnlyId).FirstOrDefaultAsync(cancellationToken);

    /// <summary>Refuses unless made-up data may be written here.</summary>
    /// <exception cref="JobRefusedException">It may not.</exception>
    public Task RequireDevelopmentAsync(CancellationToken cancellationToken) => RequireAsync(orEmpty: false, cancellationToken);

    /// <summary>Refuses unless made-up data may be written here, or may after <see cref="MarkEmptyAsync"/>. Writes nothing.</summary>
    /// <exception cref="JobRefusedException">It may not.</exception>
    public Task RequireDevelopmentOrEmptyAsync(CancellationToken cancellationToken) => RequireAsync(orEmpty: true, cancellationToken);

    /// <summary>Marks a database that holds nothing yet, when this process runs in the environment Development.</summary>
    /// <returns>Whether it was marked now.</returns>
    public async Task<bool> MarkEmptyAsync(CancellationToken cancellationToken)
    {
        if (await ReadAsync(cancellationToken) is not null || !await MayBeMarkedAsync(cancellationToken))
        {
            return false;
        }

        try
        {
            await Marks.InsertOneAsync(Mark(EnvironmentMark.Development), options: null, cancellationToken);
            return true;
        }
        catch (MongoWriteException exception) when (exception.WriteError?.Category == ServerErrorCategory.DuplicateKey)
        {
            // Somebody was faster, and what they say counts.
            return false;
        }
    }

    /// <summary>Marks a database, whatever it holds.</summary>
    /// <param name="typedName">What the person typed as the database's name.</param>
    /// <param name="name">What it is for.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="JobRefusedException">The name is another one, or development is not allowed here.</exception>
    public async Task MarkAsync(string typedName, string name, CancellationToken cancellationToken)
    {
        if (typedName != DatabaseName)
        {
            throw new JobRefusedException($"The database is called '{DatabaseName}', not '{typedName}'.");
        }

        if (name != EnvironmentMark.Development)
        {
            await Marks.ReplaceOneAsync(mark => mark.Id == EnvironmentMark.OnlyId, Mark(name), new ReplaceOptions { IsUpsert = true }, cancellationToken);
            return;
        }

        RefuseProductionProcess();
        try
        {
            // Only in place of the same or of nothing, whoever marks it meanwhile.
            await Marks.ReplaceOneAsync(
                mark => mark.Id == EnvironmentMark.OnlyId && mark.Name == EnvironmentMark.Development, Mark(name), new ReplaceOptions { IsUpsert = true },
                cancellationToken);
        }
        catch (MongoWriteException exception) when (exception.WriteError?.Category == ServerErrorCategory.DuplicateKey)
        {
            RefuseOther(await ReadAsync(cancellationToken));
        }
    }

    private async Task RequireAsync(bool orEmpty, CancellationToken cancellationToken)
    {
        RefuseProductionProcess();
        var mark = await ReadAsync(cancellationToken);
        if (mark is null && !(orEmpty && await MayBeMarkedAsync(cancellationToken)))
        {
            throw new JobRefusedException(
                $"The database '{DatabaseName}' is not marked as development; look at what it holds, then 'seeder mark {DatabaseName}' marks it.");
        }

        RefuseOther(mark);
    }

    // Any collection that is not the platform's, also an empty one, says that the database is there for something else.
    private async Task<bool> MayBeMarkedAsync(CancellationToken cancellationToken)
    {
        if (!environment.IsDevelopment())
        {
            return false;
        }

        var ours = CollectionCatalogue.All.Select(collection => collection.Name).ToHashSet(StringComparer.Ordinal);
        using var cursor = await database.Database.ListCollectionNamesAsync(cancellationToken: cancellationToken);
        foreach (var name in (await cursor.ToListAsync(cancellationToken)).Where(
            name => !s_bookkeeping.Contains(name) && !name.StartsWith("system.", StringComparison.Ordinal)))
        {
            if (!ours.Contains(name)
                || await database.Database.GetCollection<BsonDocument>(name)
                    .ForDecisions()
                    .Find(FilterDefinition<BsonDocument>.Empty)
                    .Limit(1)
                    .AnyAsync(cancellationToken))
            {
                return false;
            }
        }

        return true;
    }

    private void RefuseProductionProcess()
    {
        // A variable that is set to nothing hides the default, which is Production.
        if (environment.IsProduction() || string.IsNullOrWhiteSpace(environment.EnvironmentName))
        {
            throw new JobRefusedException(
                "The environment is Production, where made-up data does not belong; on a developer's machine set DOTNET_ENVIRONMENT=Development.");
        }
    }

    private void RefuseOther(EnvironmentMark? mark)
    {
        if (mark is not null && mark.Name != EnvironmentMark.Development)
        {
            throw new JobRefusedException($"The database '{DatabaseName}' is marked as {mark.Name}, where made-up data does not belong.");
        }
    }

    private EnvironmentMark Mark(string name) => new()
    {
        Name = name,
        MarkedAt = time.GetUtcNow().UtcDateTime,
        MarkedBy = $"{Environment.UserName} on {Environment.MachineName}",
    };
}
