using System.Security.Cryptography;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Seeder.Generation;
using Platform.Seeder.Progress;

namespace Platform.Seeder;

/// <summary>Writes seed data in batches: the next ones are made while a few are under way, and no more are in memory.</summary>
internal sealed class SeedWriter(IMongoDatabase database, int batchSize, int writers)
{
    // The documents come with keys, so the driver need not look for one.
    private static readonly InsertManyOptions Options = new() { IsOrdered = false };

    /// <summary>Writes everything, collection by collection.</summary>
    /// <returns>How many documents, and the SHA-256 over their BSON in order.</returns>
    public async Task<(long Documents, string Hash)> WriteAsync(SeedSize size, ISeedProgress progress, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long documents = 0;
        foreach (var part in SeedCollection.All(size))
        {
            documents += await WriteAsync(part, hash, progress, cancellationToken);
        }

        return (documents, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>The hash that <see cref="WriteAsync(SeedSize, ISeedProgress, CancellationToken)"/> would return; writes nothing.</summary>
    public static string ComputeHash(SeedSize size)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var document in SeedCollection.All(size).SelectMany(part => part.Documents()))
        {
            hash.AppendData(document);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private async Task<long> WriteAsync(SeedCollection part, IncrementalHash hash, ISeedProgress progress, CancellationToken cancellationToken)
    {
        var collection = database.GetCollection<RawBsonDocument>(part.Name);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var underWay = new List<Task>(writers);
        long written = 0;
        try
        {
            foreach (var chunk in part.Documents().Chunk(batchSize))
            {
                foreach (var document in chunk)
                {
                    hash.AppendData(document);
                }

                if (underWay.Count == writers)
                {
                    var done = await Task.WhenAny(underWay);
                    underWay.Remove(done);
                    await done;
                }

                underWay.Add(InsertAsync(chunk));
            }

            await Task.WhenAll(underWay);
        }
        catch
        {
            // The others must not go on writing after the failure was reported.
            await stop.CancelAsync();
            await Task.WhenAll(underWay).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }

        progress.Report(part.Name, written, part.ExpectedCount, finished: true);
        return written;

        async Task InsertAsync(byte[][] chunk)
        {
            await collection.InsertManyAsync(chunk.Select(document => new RawBsonDocument(document)), Options, stop.Token);
            progress.Report(part.Name, Interlocked.Add(ref written, chunk.Length), part.ExpectedCount, finished: false);
        }
    }
}
