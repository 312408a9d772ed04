using System.Security.Cryptography;
using MongoDB.Bson;
using MongoDB.Bson.IO;
using MongoDB.Bson.Serialization;
using Platform.Backup.Engines;

namespace Platform.Backup.InPlace;

/// <summary>
/// What a restore in place would do to each document, in a file that goes with the plan, for it may be long; and to the collection, where that is gone.
/// </summary>
internal sealed class RestorePlan : IDisposable
{
    /// <summary>How many documents may get other unique values: what is known of them is in memory, some 700 bytes for each.</summary>
    private const int MaxExchanges = 500_000;

    /// <summary>How many documents may take them from each other in one ring: they are written in one transaction.</summary>
    private const int MaxRing = 10_000;

    private readonly FileStream _file;
    private readonly byte[] _digest = new byte[SHA256.HashSizeInBytes];
    private readonly SortedDictionary<string, RestoreChanges> _changes = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Exchanges> _exchanges = new(StringComparer.Ordinal);
    private readonly List<StructureChange> _structures = [];

    /// <summary>Makes an empty one.</summary>
    /// <param name="directory">Where the file is.</param>
    public RestorePlan(string directory) =>
        _file = OwnerOnly.Open(
            Path.Combine(directory, Path.GetRandomFileName()), FileMode.CreateNew, bufferSize: 1 << 16, how: FileOptions.DeleteOnClose);

    /// <summary>How many documents of each collection change, and how.</summary>
    public IReadOnlyCollection<RestoreChanges> Changes => _changes.Values;

    /// <summary>What changes in the collections themselves.</summary>
    public IReadOnlyList<StructureChange> Structures => _structures;

    /// <summary>Names the plan: one that would change anything else, or to anything else, has another name.</summary>
    public string Name => Convert.ToHexStringLower(_digest.AsSpan(0, 8));

    /// <summary>Whether there is nothing to do.</summary>
    public bool IsEmpty =>
        _structures.All(change => !change.IsNeeded) && _changes.Values.All(changes => changes.Inserted + changes.Replaced + changes.Deleted == 0);

    /// <summary>Adds what changes in a collection itself.</summary>
    public void Add(StructureChange change)
    {
        _structures.Add(change);
        Digest(change.ToBson());
    }

    /// <summary>Compares a document of the running database with that of the copy.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="live">The document as it is; null when there is none.</param>
    /// <param name="copy">As it was; null when there was none.</param>
    /// <param name="unique">What is unique in the collection.</param>
    /// <exception cref="BackupException">There are too many of a kind that is kept in memory.</exception>
    public void Add(string collection, BsonDocument? live, BsonDocument? copy, UniqueValues unique)
    {
        var (now, then) = (live is null ? null : HashOf(live), copy is null ? null : HashOf(copy));
        var before = _changes.GetValueOrDefault(collection) ?? new RestoreChanges(collection, 0, 0, 0, 0);
        RestoreStep step;
        switch (now, then)
        {
            case (null, { }):
                step = RestoreStep.Insert;
                _changes[collection] = before with { Inserted = before.Inserted + 1 };
                break;
            case ({ }, null):
                step = RestoreStep.Delete;
                _changes[collection] = before with { Deleted = before.Deleted + 1 };
                break;
            case ({ }, { }) when !now.AsSpan().SequenceEqual(then):
                step = RestoreStep.Replace;
                _changes[collection] = before with { Replaced = before.Replaced + 1 };
                break;
            default:
                _changes[collection] = before with { Same = before.Same + 1 };
                return;
        }

        var entry = new BsonDocument
        {
            ["collection"] = collection,
            ["id"] = (live ?? copy)!["_id"],
            ["step"] = (int)step,
            ["live"] = now is null ? BsonNull.Value : new BsonBinaryData(now),
        };
        var bytes = entry.ToBson();
        if (step != RestoreStep.Replace || !IsExchange(collection, live!, copy!, now!, unique))
        {
            _file.Write(bytes);
        }

        Digest([.. bytes, .. then ?? []]);
    }

    /// <summary>The documents for one step, in batches of one collection each.</summary>
    /// <param name="step">The step.</param>
    /// <param name="size">How many documents a batch has at most, but for rings, of which each is in one.</param>
    /// <exception cref="BackupException">A ring is too long for a transaction.</exception>
    public IEnumerable<RestoreBatch> Batches(RestoreStep step, int size)
    {
        _file.Flush();
        _file.Position = 0;
        var (collection, documents) = ("", new Dictionary<BsonValue, byte[]?>());
        // Not disposed of: the stream is the plan's.
        var reader = new BsonBinaryReader(_file);
        while (_file.Position < _file.Length)
        {
            var entry = BsonSerializer.Deserialize<BsonDocument>(reader);
            if (entry["step"].AsInt32 != (int)step)
            {
                continue;
            }

            if (documents.Count == size || (documents.Count > 0 && entry["collection"].AsString != collection))
            {
                yield return new RestoreBatch(collection, documents, []);
                documents = [];
            }

            collection = entry["collection"].AsString;
            documents[entry["id"]] = entry["live"].IsBsonNull ? null : entry["live"].AsByteArray;
        }

        if (documents.Count > 0)
        {
            yield return new RestoreBatch(collection, documents, []);
        }

        // After what gives way to them: all that goes has gone by now.
        foreach (var batch in step == RestoreStep.Replace ? _exchanges.SelectMany(entry => Batches(entry.Key, entry.Value, size)) : [])
        {
            yield return batch;
        }
    }

    /// <summary>The hash of a document, the order of its fields included.</summary>
    public static byte[] HashOf(BsonDocument document) => SHA256.HashData(document.ToBson());

    /// <inheritdoc />
    public void Dispose() => _file.Dispose();

    private static IEnumerable<RestoreBatch> Batches(string collection, Exchanges exchanges, int size)
    {
        var groups = new List<ExchangeGroup>();
        foreach (var group in exchanges.InOrder())
        {
            if (group.Documents.Count > MaxRing)
            {
                throw new BackupException(
                    $"{group.Documents.Count} documents of {collection} take unique values from each other in a ring, more than are written in one "
                        + "transaction; open the copy with 'backup restore --serve' and take from it what is needed.",
                    ExitCodes.Refused);
            }

            if (groups.Count > 0 && groups.Sum(known => known.Documents.Count) + group.Documents.Count > size)
            {
                yield return Batch();
                groups = [];
            }

            groups.Add(group);
        }

        if (groups.Count > 0)
        {
            yield return Batch();
        }

        RestoreBatch Batch() => new(
            collection, groups.SelectMany(group => group.Documents).ToDictionary(entry => entry.Key, entry => (byte[]?)entry.Value), groups);
    }

    /// <summary>Whether a document gets other unique values, and so may meet another one that still has them; then it is kept among those.</summary>
    private bool IsExchange(string collection, BsonDocument live, BsonDocument copy, byte[] hash, UniqueValues unique)
    {
        var (given, taken) = unique.Between(live, copy);
        if (given.Count + taken.Count == 0)
        {
            return false;
        }

        var known = _exchanges.TryGetValue(collection, out var exchanges) ? exchanges : _exchanges[collection] = new Exchanges();
        if (known.Count == MaxExchanges)
        {
            throw new BackupException(
                $"More than {MaxExchanges} documents of {collection} would get other unique values: open the copy with 'backup restore --serve' and take from "
                    + "it what is needed.",
                ExitCodes.Refused);
        }

        known.Add(live["_id"], hash, given, taken);
        return true;
    }

    // In whatever order they come.
    private void Digest(byte[] bytes)
    {
        var hash = SHA256.HashData(bytes);
        for (var i = 0; i < hash.Length; i++)
        {
            _digest[i] ^= hash[i];
        }
    }
}

/// <summary>What is done to a document; in this order, so that what is to be unique does not meet itself.</summary>
internal enum RestoreStep
{
    /// <summary>It was not there.</summary>
    Delete,

    /// <summary>It was another one.</summary>
    Replace,

    /// <summary>It is not there any more.</summary>
    Insert,
}

/// <summary>Documents for which the same is to be done.</summary>
/// <param name="Collection">Their collection.</param>
/// <param name="Documents">Their keys, and the hash that each had when the plan was made; null where there was none.</param>
/// <param name="Groups">In which order, and which of them together; empty when each may be written by itself, in any order.</param>
internal sealed record RestoreBatch(string Collection, IReadOnlyDictionary<BsonValue, byte[]?> Documents, IReadOnlyList<ExchangeGroup> Groups);

/// <summary>How many documents of a collection change.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Same">Are as they were.</param>
/// <param name="Inserted">Come back.</param>
/// <param name="Replaced">Become again what they were.</param>
/// <param name="Deleted">Go: they were not there.</param>
internal sealed record RestoreChanges(string Collection, long Same, long Inserted, long Replaced, long Deleted);
