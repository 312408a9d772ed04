using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Jobs.Progress;
using Platform.Seeder.Generation;
using Platform.Seeder.Storage;

namespace Platform.Seeder.Verification;

/// <summary>
/// Compares a database with what was seeded: makes each piece again, reads the same keys, compares byte by byte, and follows
/// every reference of what it read, and applies the catalogue's rules. No more is in memory than a piece per task.
/// </summary>
internal sealed class SeedVerifier(IMongoDatabase database, int workers, SeedEncryption encryption)
{
    private const int PieceSize = 2000;
    private const int MostExamples = 5;

    /// <summary>Compares some collections.</summary>
    /// <param name="parts">The collections as they were seeded.</param>
    /// <param name="left">Which tenants are not expected.</param>
    /// <param name="progress">Told about every piece.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task<IReadOnlyList<CollectionReport>> VerifyAsync(
        IReadOnlyList<SeedCollection> parts, Func<int, bool> left, IJobProgress progress, CancellationToken cancellationToken)
    {
        var references = new ReferenceCheck(database);
        var tallies = parts.ToDictionary(part => part, _ => new Tally());
        try
        {
            await progress.RunAsync(async () =>
            {
                await Parallel.ForEachAsync(
                    SeedPiece.Of(parts, PieceSize, left),
                    new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellationToken },
                    async (piece, token) =>
                    {
                        var tally = tallies[piece.Part];
                        await VerifyAsync(piece, tally, references, token);
                        progress.Report(piece.Part.Name, Interlocked.Add(ref tally.Expected, piece.To - piece.From), piece.Part.Count);
                    });
            });

            var reports = new List<CollectionReport>();
            foreach (var part in parts)
            {
                reports.Add(await ReportAsync(part, tallies[part], cancellationToken));
                progress.Finish(part.Name, tallies[part].Expected);
            }

            return reports;
        }
        finally
        {
            foreach (var tally in tallies.Values)
            {
                tally.Hash.Dispose();
                tally.ExpectedHash.Dispose();
            }
        }
    }

    private async Task VerifyAsync(SeedPiece piece, Tally tally, ReferenceCheck references, CancellationToken cancellationToken)
    {
        var expected = piece.Documents();
        var found = await database.GetCollection<BsonDocument>(piece.Part.Name)
            .Find(SeedKeys.Row(piece.Part, piece.From, piece.To))
            .Sort(new BsonDocument("_id", 1))
            .As<RawBsonDocument>()
            .ToListAsync(cancellationToken);
        found = found.ConvertAll(document => encryption.Decrypt(piece.Part, document));
        var bytes = found.ConvertAll(Bytes);
        tally.ExpectedHash.Add(piece.Index, expected);
        tally.Hash.Add(piece.Index, bytes);
        Compare(piece, expected, found, bytes, tally);

        foreach (var document in found)
        {
            // Materialised, since rules look at most fields.
            if (piece.Part.Definition.Rules.Evaluate(new BsonDocument(document)) is [var first, ..])
            {
                Interlocked.Increment(ref tally.Invalid);
                tally.Note($"{piece.Part.Name} {document["_id"]} breaks the rule {first.Code} at {first.Pointer}");
            }
        }

        var (count, broken) = await references.CheckAsync(piece.Part, found, cancellationToken);
        Interlocked.Add(ref tally.References, count);
        Interlocked.Add(ref tally.BrokenReferences, broken.Count);
        tally.Note([.. broken.Take(MostExamples)]);
    }

    // Both are in the order of their keys.
    private static void Compare(SeedPiece piece, IReadOnlyList<byte[]> expected, List<RawBsonDocument> found, List<byte[]> bytes, Tally tally)
    {
        var name = piece.Part.Name;
        var at = 0;
        foreach (var document in expected)
        {
            var id = new RawBsonDocument(document)["_id"].AsObjectId;
            for (; at < found.Count && found[at]["_id"].AsObjectId < id; at++)
            {
                Interlocked.Increment(ref tally.Unexpected);
                tally.Note($"{name} {found[at]["_id"]} has a key of the seeder, but was not seeded");
            }

            if (at == found.Count || found[at]["_id"].AsObjectId != id)
            {
                Interlocked.Increment(ref tally.Missing);
                tally.Note($"{name} {id} is missing");
            }
            else
            {
                if (!bytes[at].AsSpan().SequenceEqual(document))
                {
                    Interlocked.Increment(ref tally.Changed);
                    tally.Note($"{name} {id} was changed");
                }

                at++;
            }
        }

        Interlocked.Add(ref tally.Unexpected, found.Count - at);
        Interlocked.Add(ref tally.Found, found.Count);
    }

    private async Task<CollectionReport> ReportAsync(SeedCollection part, Tally tally, CancellationToken cancellationToken)
    {
        // What lies behind the last key, or belongs to a tenant that was removed.
        var all = await database.GetCollection<BsonDocument>(part.Name).CountDocumentsAsync(SeedKeys.All(part.Kind), cancellationToken: cancellationToken);
        return new CollectionReport(
            part.Name, tally.Expected, all, tally.Missing, tally.Changed, tally.Unexpected + Math.Max(0, all - tally.Found), tally.References,
            tally.BrokenReferences, tally.Invalid, tally.Hash.Finish(), tally.ExpectedHash.Finish(), tally.Examples);
    }

    private static byte[] Bytes(RawBsonDocument document)
    {
        var slice = document.Slice;
        var bytes = new byte[slice.Length];
        slice.GetBytes(0, bytes, 0, bytes.Length);
        return bytes;
    }

    private sealed class Tally
    {
        private readonly List<string> _examples = [];

        public SeedHash Hash { get; } = new();

        public SeedHash ExpectedHash { get; } = new();

        public IReadOnlyList<string> Examples
        {
            get
            {
                lock (_examples)
                {
                    return [.. _examples];
                }
            }
        }

        public long Expected;
        public long Found;
        public long Missing;
        public long Changed;
        public long Unexpected;
        public long References;
        public long BrokenReferences;
        public long Invalid;

        public void Note(params ReadOnlySpan<string> faults)
        {
            lock (_examples)
            {
                foreach (var fault in faults)
                {
                    if (_examples.Count < MostExamples)
                    {
                        _examples.Add(fault);
                    }
                }
            }
        }
    }
}
