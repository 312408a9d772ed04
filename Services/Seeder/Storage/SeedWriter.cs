using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Jobs;
using Platform.Mongo.Leases;
using Platform.Seeder.Generation;
using Platform.Jobs.Progress;

namespace Platform.Seeder.Storage;

/// <summary>
/// Writes seed data: several tasks each make a piece and send it as one command, so that the server always has work on more
/// than one connection. No more is in memory than a piece per task.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="pieceSize">How many documents are made and written at once.</param>
/// <param name="writers">How many tasks.</param>
/// <param name="permit">Refuses when nothing may be written any more; asked before each command. Null for no question.</param>
/// <param name="encryption">Encrypts what is personal; null for nothing.</param>
internal sealed class SeedWriter(
    IMongoDatabase database, int pieceSize, int writers, Func<CancellationToken, Task>? permit = null, SeedEncryption? encryption = null)
{
    private readonly SeedEncryption _encryption = encryption ?? SeedEncryption.None;

    // Small enough that a collection is spread over the writers; larger ones were not faster.
    public const int DefaultPieceSize = 500;

    // The documents come with keys, and their order does not matter: the server may go on after a refused one.
    private static readonly InsertManyOptions s_options = new() { IsOrdered = false };

    /// <summary>Writes collections.</summary>
    /// <param name="parts">The collections.</param>
    /// <param name="begun">Which of them have documents of the same size already, which stay as they are.</param>
    /// <param name="progress">Told about every piece.</param>
    /// <param name="completed">Told about every collection that is complete, one at a time.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>How many documents were written.</returns>
    /// <exception cref="JobRefusedException">A document that was not seeded has the same unique key.</exception>
    public async Task<long> WriteAsync(
        IReadOnlyList<SeedCollection> parts,
        IReadOnlyCollection<SeedCollection> begun,
        IJobProgress progress,
        Func<SeedPart, CancellationToken, Task> completed,
        CancellationToken cancellationToken)
    {
        var states = parts.ToDictionary(part => part, _ => new PartState());
        foreach (var piece in SeedPiece.Of(parts, pieceSize, _ => false))
        {
            states[piece.Part].Pieces++;
        }

        using var one = new SemaphoreSlim(1);
        try
        {
            await Parallel.ForEachAsync(
                SeedPiece.Mixed(parts, pieceSize, _ => false),
                new ParallelOptions { MaxDegreeOfParallelism = writers, CancellationToken = cancellationToken },
                async (piece, token) =>
                {
                    var state = states[piece.Part];
                    if (!await WriteAsync(piece, state, begun.Contains(piece.Part), progress, token))
                    {
                        return;
                    }

                    var part = new SeedPart { Collection = piece.Part.Name, Documents = piece.Part.Count, Hash = state.Hash.Finish() };
                    await one.WaitAsync(token);
                    try
                    {
                        await completed(part, token);
                    }
                    finally
                    {
                        one.Release();
                    }
                });
            return states.Values.Sum(state => state.Written);
        }
        finally
        {
            foreach (var state in states.Values)
            {
                state.Hash.Dispose();
            }
        }
    }

    /// <summary>Writes everything.</summary>
    public Task<long> WriteAsync(SeedSize size, IJobProgress progress, CancellationToken cancellationToken) =>
        WriteAsync(SeedCollection.All(size), [], progress, (_, _) => Task.CompletedTask, cancellationToken);

    // Returns whether it was the last piece of its collection.
    private async Task<bool> WriteAsync(SeedPiece piece, PartState state, bool isBegun, IJobProgress progress, CancellationToken cancellationToken)
    {
        var documents = piece.Documents();
        state.Hash.Add(piece.Index, documents);
        var missing = isBegun ? await MissingAsync(piece, documents, cancellationToken) : documents;
        if (missing.Count > 0)
        {
            await (permit?.Invoke(cancellationToken) ?? Task.CompletedTask);
            Lease.RequireHeld();
            await InsertAsync(piece.Part, missing, cancellationToken);
        }

        var written = Interlocked.Add(ref state.Written, missing.Count);
        var finished = Interlocked.Decrement(ref state.Pieces) == 0;
        if (finished)
        {
            progress.Finish(piece.Part.Name, written);
        }
        else
        {
            progress.Report(piece.Part.Name, written, piece.Part.Count);
        }

        return finished;
    }

    private async Task<IReadOnlyList<byte[]>> MissingAsync(SeedPiece piece, IReadOnlyList<byte[]> documents, CancellationToken cancellationToken)
    {
        var there = await database.GetCollection<BsonDocument>(piece.Part.Name).Find(SeedKeys.Row(piece.Part, piece.From, piece.To))
            .Project(new BsonDocument("_id", 1)).ToListAsync(cancellationToken);
        var ids = there.Select(document => document["_id"]).ToHashSet();
        return ids.Count == 0 ? documents : [.. documents.Where(document => !ids.Contains(new RawBsonDocument(document)["_id"]))];
    }

    private async Task InsertAsync(SeedCollection part, IReadOnlyList<byte[]> documents, CancellationToken cancellationToken)
    {
        var stored = await _encryption.EncryptAsync(part, documents, cancellationToken);
        try
        {
            await database.GetCollection<RawBsonDocument>(part.Name).InsertManyAsync(stored, s_options, cancellationToken);
        }
        catch (MongoBulkWriteException<RawBsonDocument> exception)
            when (exception.WriteErrors.FirstOrDefault(error => error.Category == ServerErrorCategory.DuplicateKey) is { } error)
        {
            var id = new RawBsonDocument(documents[error.Index])["_id"];
            throw new JobRefusedException(
                $"The document {id} cannot be written to {part.Name}, since one that was not seeded has the same unique key ({error.Message.TrimEnd('.')}); "
                    + $"change or remove that one.");
        }
    }

    private sealed class PartState
    {
        public SeedHash Hash { get; } = new();

        public long Written;

        public int Pieces;
    }
}
