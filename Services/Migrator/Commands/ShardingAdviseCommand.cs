using System.CommandLine;
using System.Globalization;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Indexes;
using Platform.Migrator.Sharding;
using Platform.Migrator.Sharding.Advice;
using Platform.Migrator.Sharding.Simulation;
using static Platform.Migrator.Reports.ReportLines;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator sharding advise</c>: judges the declared shard keys, and others, on the documents that are there and what is asked of them.</summary>
internal sealed class ShardingAdviseCommand(ICluster cluster, IMongoDatabase database)
{
    private const int NamedTenants = 3;
    private const double HotTenant = 0.25;

    public static Command Create()
    {
        var names = new Option<string[]>("--collection")
        {
            Description = "Judge the keys of these collections; else of all that are sharded.", HelpName = "NAME", AllowMultipleArgumentsPerToken = true,
        };
        var keys = new Option<string[]>("--key")
        {
            Description = "Judge this key, too, such as tenantId:1,number:hashed; with one --collection.",
            HelpName = "KEY",
            AllowMultipleArgumentsPerToken = true,
        };
        var sample = JobCommandLine.WholeNumber("--sample", "NUMBER", "Look at so many documents of a collection at most.", 50_000, 100, 500_000);
        var record = JobCommandLine.WholeNumber(
            "--record-queries",
            "RATE",
            "Let MongoDB (7.0 or newer) record so many queries a second of each collection, which later advice is better for; 0 stops.",
            0,
            50);
        var fail = new Option<bool>("--fail") { Description = "Exit with 2 when a key is better than the declared one." };
        return MigratorJob.Report<ShardingAdviseCommand, ShardingAdviceReport>(
            new Command(
                "advise",
                "Judge the declared shard keys beside others: how many values they have, what stays together, where new documents go, which queries ask all "
                    + "shards. Reads a sample; changes nothing but what --record-queries asks for.") { names, keys, sample, record, fail },
            (advise, result, token) => advise.RunAsync(
                result.GetValue(names) ?? [], result.GetValue(keys) ?? [], result.GetValue(sample), result.GetValue(record), result.GetValue(fail), token),
            AdviceText.Print,
            report => !report.FailsOnAdvice || report.IsGood);
    }

    /// <exception cref="JobUsageException">A collection or a key is none.</exception>
    /// <exception cref="JobRefusedException">The server records no queries.</exception>
    public async Task<ShardingAdviceReport> RunAsync(
        IReadOnlyList<string> names, IReadOnlyList<string> keys, int sampleSize, int? record, bool failsOnAdvice, CancellationToken cancellationToken)
    {
        var collections = Chosen(names);
        if (keys.Count > 0 && names.Count != 1)
        {
            throw new JobUsageException("--key is judged for one collection: name it with --collection.");
        }

        var server = new ServerAnalysis(cluster, database.DatabaseNamespace.DatabaseName);
        var state = await new DatabaseIndexes(database).ReadAsync(sizes: true, usage: false, cancellationToken);
        var (recorded, notes) = await new ProfileReader(database).ReadAsync(AskedQuery.Read, "Recorded queries are not counted", cancellationToken);
        var tenants = state.Collections.GetValueOrDefault(CollectionNames.Tenants) is { Documents: > 0 }
            ? await new StoredTenants(database).ReadAsync(cancellationToken)
            : null;
        var reader = new SampleReader(database, sampleSize);
        var advice = new List<CollectionAdvice>();
        foreach (var collection in collections)
        {
            if (record is { } rate)
            {
                await RecordAsync(server, collection.Name, rate, cancellationToken);
            }

            var candidates = KeyCandidate.Of(collection, SampleReader.DateOf(collection))
                .Concat(keys.Select(key => KeyCandidate.Parse(key, collection)).Where(candidate => !candidate.IsDeclared))
                .ToList();
            var stored = state.Collections.GetValueOrDefault(collection.Name) ?? new CollectionState { Name = collection.Name, Indexes = [] };
            var sample = await reader.ReadAsync(collection, stored, candidates.SelectMany(candidate => candidate.Key.Fields), cancellationToken);
            var queries = AskedQuery.DeclaredFor(collection)
                .Concat(recorded.Where(query => query.Collection == collection.Name).Select(query => query.Query))
                .ToList();
            var (judged, isBest) = KeyJudge.Judge(collection, candidates, sample, queries);
            var asked = new List<JudgedKey>();
            foreach (var key in judged)
            {
                asked.Add(key.IsPossible && sample.Total > 0
                    ? key with { Server = await server.OfAsync(collection.Name, MongoDB.Bson.BsonDocument.Parse(key.Key), cancellationToken) }
                    : key);
            }

            advice.Add(new(
                collection.Name, sample.Total, sample.Bytes, sample.Documents.Count, isBest, asked, [.. OfTenants(collection, tenants), .. OfSample(sample)]));
        }

        return new(advice, [.. notes, .. server.WhyNot is { } why ? new[] { why } : []]) { FailsOnAdvice = failsOnAdvice };
    }

    private static List<CollectionDefinition> Chosen(IReadOnlyList<string> names)
    {
        var sharded = CollectionCatalogue.All.Where(collection => collection.ShardKey.IsSharded).ToList();
        return names.FirstOrDefault(name => sharded.TrueForAll(collection => collection.Name != name)) is { } unknown
            ? throw new JobUsageException($"'{unknown}' is not sharded; there are {string.Join(", ", sharded.Select(collection => collection.Name))}.")
            : names.Count == 0 ? sharded
            : sharded.FindAll(collection => names.Contains(collection.Name));
    }

    private static async Task RecordAsync(ServerAnalysis server, string collection, int rate, CancellationToken cancellationToken)
    {
        try
        {
            await server.RecordAsync(collection, rate, cancellationToken);
        }
        catch (MongoCommandException exception)
        {
            throw new JobRefusedException($"The server records no queries of {collection}: {exception.Message.TrimEnd('.')}.");
        }
    }

    private static IEnumerable<string> OfTenants(CollectionDefinition collection, TenantSizes? tenants)
    {
        if (tenants is null)
        {
            yield break;
        }

        var bytes = tenants.Bytes[TenantSizes.Collections.Index().First(each => each.Item.Name == collection.Name).Index];
        var total = bytes.Sum();
        var hot = Enumerable.Range(0, bytes.Length).Where(tenant => total > 0 && bytes.Length > 1 && bytes[tenant] >= HotTenant * total)
            .OrderByDescending(tenant => bytes[tenant])
            .Take(NamedTenants)
            .Select(tenant => string.Create(CultureInfo.InvariantCulture, $"{tenants.Names[tenant]} ({100.0 * bytes[tenant] / total:0} %)"))
            .ToList();
        if (hot.Count > 0)
        {
            yield return $"Most of it belongs to {string.Join(", ", hot)}.";
        }

        var range = collection.ShardKey.RangeBytes;
        var outgrown = Enumerable.Range(0, bytes.Length).Where(tenant => bytes[tenant] > range).OrderByDescending(tenant => bytes[tenant]).ToList();
        if (outgrown.Count > 0 && !collection.ShardKey.PartsTenants)
        {
            yield return $"{Count(outgrown.Count, "tenant has", "tenants have")} outgrown a range, which the key does not part: "
                + $"{string.Join(", ", outgrown.Take(NamedTenants).Select(tenant => $"{tenants.Names[tenant]} ({Size(bytes[tenant])})"))}.";
        }
    }

    private static IEnumerable<string> OfSample(CollectionSample sample)
    {
        if (sample.Documents.Count < KeyMeasure.Few)
        {
            yield return $"{Count(sample.Documents.Count, "document says", "documents say")} little of how values spread: the queries and the indexes decide.";
        }
        else if (!sample.InOrder)
        {
            yield return "Neither a date nor the key of a document tells when it was made: where new documents go is not known.";
        }
    }
}
