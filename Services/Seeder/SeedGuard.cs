using Microsoft.Extensions.Hosting;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data;
using Platform.Data.Catalogue;
using Platform.Data.Connections;

namespace Platform.Seeder;

/// <summary>
/// Keeps made-up data out of databases that are not for development. Two things have to agree: the environment of this
/// process, and the mark that the database carries in <c>_environment</c>. A database without a mark gets one only while it is
/// empty, or when a person types its name.
/// </summary>
internal sealed class SeedGuard(PlatformDatabase database, IHostEnvironment environment, TimeProvider time)
{
    private IMongoCollection<EnvironmentMark> Marks => database.Database.GetCollection<EnvironmentMark>(CollectionNames.Environment).ForDecisions();

    private string DatabaseName => database.Database.DatabaseNamespace.DatabaseName;

    /// <summary>What the database says it is for; null when it says nothing.</summary>
    public async Task<EnvironmentMark?> ReadAsync(CancellationToken cancellationToken) =>
        await Marks.Find(mark => mark.Id == EnvironmentMark.OnlyId).FirstOrDefaultAsync(cancellationToken);

    /// <summary>Refuses unless made-up data may be written here.</summary>
    /// <exception cref="SeedRefusedException">It may not.</exception>
    public async Task RequireDevelopmentAsync(CancellationToken cancellationToken)
    {
        RefuseProductionProcess();
        var mark = await ReadAsync(cancellationToken);
        if (mark is null)
        {
            throw new SeedRefusedException(
                $"The database '{DatabaseName}' is not marked as development; look at what it holds, then 'seeder mark {DatabaseName}' marks it.");
        }

        RefuseOther(mark);
    }

    /// <summary>Marks a database that holds nothing yet, when this process runs in the environment Development.</summary>
    /// <returns>Whether it was marked now.</returns>
    public async Task<bool> MarkEmptyAsync(CancellationToken cancellationToken)
    {
        if (!environment.IsDevelopment() || await ReadAsync(cancellationToken) is not null)
        {
            return false;
        }

        foreach (var collection in CollectionCatalogue.All)
        {
            if (await database.Database.GetCollection<BsonDocument>(collection.Name).ForDecisions().Find(FilterDefinition<BsonDocument>.Empty).Limit(1).AnyAsync(cancellationToken))
            {
                return false;
            }
        }

        await WriteAsync(EnvironmentMark.Development, cancellationToken);
        return true;
    }

    /// <summary>Marks a database, whatever it holds.</summary>
    /// <param name="typedName">What the person typed as the database's name.</param>
    /// <param name="name">What it is for.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="SeedRefusedException">The name is another one, or development is not allowed here.</exception>
    public async Task MarkAsync(string typedName, string name, CancellationToken cancellationToken)
    {
        if (typedName != DatabaseName)
        {
            throw new SeedRefusedException($"The database is called '{DatabaseName}', not '{typedName}'.");
        }

        if (name == EnvironmentMark.Development)
        {
            RefuseProductionProcess();
            if (await ReadAsync(cancellationToken) is { } mark)
            {
                RefuseOther(mark);
            }
        }

        await WriteAsync(name, cancellationToken);
    }

    private void RefuseProductionProcess()
    {
        // A variable that is set to nothing hides the default, which is Production.
        if (environment.IsProduction() || string.IsNullOrWhiteSpace(environment.EnvironmentName))
        {
            throw new SeedRefusedException("The environment is Production, where made-up data does not belong; on a developer's machine set DOTNET_ENVIRONMENT=Development.");
        }
    }

    private void RefuseOther(EnvironmentMark mark)
    {
        if (mark.Name != EnvironmentMark.Development)
        {
            throw new SeedRefusedException($"The database '{DatabaseName}' is marked as {mark.Name}, where made-up data does not belong.");
        }
    }

    private Task<ReplaceOneResult> WriteAsync(string name, CancellationToken cancellationToken) => Marks.ReplaceOneAsync(
        mark => mark.Id == EnvironmentMark.OnlyId,
        new EnvironmentMark
        {
            Name = name,
            MarkedAt = time.GetUtcNow().UtcDateTime,
            MarkedBy = $"{Environment.UserName} on {Environment.MachineName}",
        },
        new ReplaceOptions { IsUpsert = true },
        cancellationToken);
}
