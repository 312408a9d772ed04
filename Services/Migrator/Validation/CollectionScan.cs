using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Rules;

namespace Platform.Migrator.Validation;

/// <summary>
/// Reads a collection document by document, in batches, and judges each by the rules. Memory does not grow with the collection.
/// </summary>
/// <param name="database">The database.</param>
public sealed class CollectionScan(IMongoDatabase database)
{
    // A batch of small documents is cheap to hold and long enough for the way to the server not to count.
    private const int BatchSize = 2000;

    /// <summary>Judges all documents of a collection.</summary>
    /// <param name="collection">The collection; one that does not exist has no documents.</param>
    /// <param name="found">Called for each document that breaks rules.</param>
    /// <param name="progress">Called after each batch with the number of documents read so far; null for nobody.</param>
    /// <param name="cancellationToken">Stops the scan.</param>
    /// <returns>What was found.</returns>
    public async Task<ScanResult> RunAsync(
        CollectionDefinition collection,
        Func<BsonValue, IReadOnlyList<RuleViolation>, ValueTask> found,
        Action<long>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(collection);
        ArgumentNullException.ThrowIfNull(found);
        long read = 0, violating = 0, violations = 0;
        var byRule = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var options = new FindOptions<BsonDocument> { BatchSize = BatchSize, NoCursorTimeout = false };
        using var cursor = await database.GetCollection<BsonDocument>(collection.Name)
            .FindAsync(FilterDefinition<BsonDocument>.Empty, options, cancellationToken);
        while (await cursor.MoveNextAsync(cancellationToken))
        {
            foreach (var document in cursor.Current)
            {
                read++;
                var broken = collection.Rules.Evaluate(document);
                if (broken.Count == 0)
                {
                    continue;
                }

                violating++;
                violations += broken.Count;
                foreach (var violation in broken)
                {
                    // Positions in lists are left out: a rule is one rule, whichever entry breaks it.
                    var rule = $"{PathOf(violation.Pointer)} {violation.Code}";
                    byRule[rule] = byRule.GetValueOrDefault(rule) + 1;
                }

                await found(document.GetValue("_id", BsonNull.Value), broken);
            }

            progress?.Invoke(read);
        }

        return new ScanResult(collection.Name, read, violating, violations, byRule);
    }

    // The path of a field, such as lines[].total, of a pointer such as /lines/3/total.
    private static string PathOf(string pointer)
    {
        var path = string.Concat(pointer.Split('/', StringSplitOptions.RemoveEmptyEntries)
            .Select(part => part.All(char.IsAsciiDigit) ? "[]" : $".{part}"));
        return path.Length == 0 ? "(document)" : path.TrimStart('.');
    }

    /// <summary>About how many documents a collection has, for progress; 0 when it does not exist.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public Task<long> EstimateAsync(CollectionDefinition collection, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(collection);
        return database.GetCollection<BsonDocument>(collection.Name).EstimatedDocumentCountAsync(cancellationToken: cancellationToken);
    }
}
