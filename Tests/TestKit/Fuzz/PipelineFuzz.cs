using System.Diagnostics;
using MongoDB.Bson;
using MongoDB.Bson.IO;
using MongoDB.Driver;

namespace Platform.Tests.TestKit.Fuzz;

/// <summary>
/// Sends generated commands as several users to a gateway with the real engine behind it, while a bystander works, and tells of everything
/// that must not happen: the engine ends, a command has no answer, an answer says that something inside is broken, the bystander is disturbed.
/// </summary>
/// <param name="users">Who sends the commands, in turn.</param>
/// <param name="bystander">A user whose work nobody may disturb.</param>
/// <param name="engine">The engine, which counts its processes that ended by a signal.</param>
/// <param name="say">Told of each finding at once.</param>
internal sealed class PipelineFuzz(IReadOnlyList<MongoClient> users, MongoClient bystander, ServerProcess engine, Action<string> say)
{
    /// <summary>The database in which it happens.</summary>
    public const string Database = "fuzz";

    /// <summary>What must not happen.</summary>
    public enum Finding
    {
        /// <summary>A process of the engine ended by a signal.</summary>
        Crash,

        /// <summary>A command was not answered in time, or its connection was closed.</summary>
        NoAnswer,

        /// <summary>The bystander's work failed or was lost.</summary>
        Disturbed,

        /// <summary>An answer says that something inside is broken; the engine has that code for some wrong arguments, too.</summary>
        InternalError,
    }

    private const int KeptCommands = 200;
    private const int Unknown = 8, Internal = 1, EngineLost = 11602;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly JsonWriterSettings s_exact = new() { OutputMode = JsonOutputMode.CanonicalExtendedJson };
    private readonly Queue<(MongoClient User, BsonDocument Command)> _latest = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>What was found.</summary>
    public List<(Finding Kind, string Text)> Findings { get; } = [];

    /// <summary>How many commands were sent.</summary>
    public int Sent { get; private set; }

    /// <summary>How many of them succeeded; a generator of refused commands would test nothing.</summary>
    public int Succeeded { get; private set; }

    /// <summary>Runs commands of a seed until the time is over or their number is reached.</summary>
    public async Task RunAsync(int seed, int commands, TimeSpan duration, CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        over.CancelAfter(duration);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
        var working = BystandAsync(ended.Token);
        var generator = new PipelineGenerator(seed);
        for (var i = 0; i < commands && !over.IsCancellationRequested; i++)
        {
            await TryAsync(users[i % users.Count], generator.Next(), $"seed {seed}, command {i}", cancellationToken);
            if (i % 500 == 499)
            {
                await PrepareAsync(cancellationToken);
            }
        }

        await ended.CancelAsync();
        await working;
    }

    private async Task TryAsync(MongoClient user, BsonDocument command, string origin, CancellationToken cancellationToken)
    {
        var before = engine.Crashes;
        Sent++;
        _latest.Enqueue((user, command));
        if (_latest.Count > KeptCommands)
        {
            _latest.Dequeue();
        }

        var started = Stopwatch.GetTimestamp();
        var failure = await SendAsync(user, command, cancellationToken);
        if (failure is null)
        {
            Succeeded++;
        }

        if (engine.Crashes > before || failure is MongoCommandException { Code: EngineLost } or MongoConnectionException)
        {
            await RecoverAsync(cancellationToken);
            if (engine.Crashes > before)
            {
                await CrashAsync(user, command, origin, cancellationToken);
            }
            else
            {
                Find(Finding.NoAnswer, $"{origin}: lost: {failure?.Message} {command.ToJson(s_exact)}", "lost " + failure?.Message);
            }
        }
        else if (failure is TimeoutException or OperationCanceledException || Stopwatch.GetElapsedTime(started) > s_patience)
        {
            Find(Finding.NoAnswer, $"{origin}: no answer within {s_patience.TotalSeconds} s: {command.ToJson(s_exact)}", null);
        }
        else if (failure is MongoCommandException { Code: Internal or Unknown } broken)
        {
            Find(Finding.InternalError, $"{origin}: error {broken.Code} '{broken.Message}': {command.ToJson(s_exact)}", Shape(broken.Message));
        }
    }

    private static async Task<Exception?> SendAsync(MongoClient user, BsonDocument command, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        try
        {
            await user.GetDatabase(Database).RunCommandAsync<RawBsonDocument>((BsonDocument)command.DeepClone(), cancellationToken: patience.Token);
            return null;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return e;
        }
    }

    /// <summary>Tells of a crash with as few stages as still make it, or with the commands before it when it takes them.</summary>
    private async Task CrashAsync(MongoClient user, BsonDocument command, string origin, CancellationToken cancellationToken)
    {
        var (said, smallest) = (engine.LastCrash, command);
        if (!await CrashesAsync([(user, command)], cancellationToken))
        {
            var history = await LeastHistoryAsync(cancellationToken);
            var commands = history.Count == 0
                ? "the commands before it do not repeat it"
                : string.Join('\n', history.Select(sent => sent.Command.ToJson(s_exact)));
            Find(Finding.Crash, $"{origin}, not when sent alone: {command.ToJson(s_exact)}\n{commands}\n{said}", null);
        }
        else
        {
            for (var shorter = true; shorter;)
            {
                shorter = false;
                foreach (var candidate in Shorter(smallest).Take(12))
                {
                    if (await CrashesAsync([(user, candidate)], cancellationToken))
                    {
                        (smallest, shorter) = (candidate, true);
                        break;
                    }
                }
            }

            Find(Finding.Crash, $"{origin}: {smallest.ToJson(s_exact)}\n{said}", null);
        }

        // The next crash is not to be found in what made this one.
        _latest.Clear();
        await PrepareAsync(cancellationToken);
    }

    private async Task<bool> CrashesAsync(IEnumerable<(MongoClient User, BsonDocument Command)> commands, CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken);
        var before = engine.Crashes;
        foreach (var (user, command) in commands)
        {
            await SendAsync(user, command, cancellationToken);
        }

        await RecoverAsync(cancellationToken);
        return engine.Crashes > before;
    }

    /// <summary>As few of the latest commands as still make the crash that the last of them alone does not make; none when all of them do not.</summary>
    private async Task<List<(MongoClient User, BsonDocument Command)>> LeastHistoryAsync(CancellationToken cancellationToken)
    {
        List<(MongoClient User, BsonDocument Command)> least = [.. _latest];
        if (!await CrashesAsync(least, cancellationToken))
        {
            return [];
        }

        for (var part = least.Count / 2; part > 0; part /= 2)
        {
            for (var at = 0; at < least.Count - 1;)
            {
                List<(MongoClient User, BsonDocument Command)> without = [.. least[..at], .. least[Math.Min(at + part, least.Count - 1)..]];
                if (await CrashesAsync(without, cancellationToken))
                {
                    least = without;
                }
                else
                {
                    at += part;
                }
            }
        }

        return least;
    }

    private static IEnumerable<BsonDocument> Shorter(BsonDocument command)
    {
        if (command.Contains("explain") && command["explain"].IsBsonDocument)
        {
            yield return command["explain"].AsBsonDocument;
            yield break;
        }

        foreach (var option in command.Names.Skip(1).Where(n => n is not ("pipeline" or "cursor" or "viewOn")))
        {
            var without = (BsonDocument)command.DeepClone();
            without.Remove(option);
            yield return without;
        }

        for (var i = 0; command.TryGetValue("pipeline", out var pipeline) && i < pipeline.AsBsonArray.Count; i++)
        {
            var without = (BsonDocument)command.DeepClone();
            without["pipeline"].AsBsonArray.RemoveAt(i);
            yield return without;
        }
    }

    private async Task RecoverAsync(CancellationToken cancellationToken)
    {
        // A process that ended takes a moment to be missed: two answers in a row mean that the engine is there.
        var started = Stopwatch.GetTimestamp();
        for (var answers = 0; answers < 3;)
        {
            try
            {
                await bystander.GetDatabase(Database).RunCommandAsync<BsonDocument>(new BsonDocument("count", "mine"), cancellationToken: cancellationToken);
                answers++;
            }
            catch (Exception e) when (e is MongoException or TimeoutException)
            {
                answers = 0;
                if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromMinutes(2))
                {
                    throw;
                }
            }

            await Task.Delay(50, cancellationToken);
        }
    }

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var database = bystander.GetDatabase(Database);
        foreach (var name in await (await database.ListCollectionNamesAsync(cancellationToken: cancellationToken)).ToListAsync(cancellationToken))
        {
            if (name != "mine" && !name.StartsWith("system.", StringComparison.Ordinal))
            {
                await database.DropCollectionAsync(name, cancellationToken);
            }
        }

        foreach (var name in PipelineGenerator.Collections)
        {
            await database.GetCollection<BsonDocument>(name).InsertManyAsync(
                Enumerable.Range(0, 20).Select(i => new BsonDocument
                {
                    { "_id", i }, { "a", i % 4 }, { "b", i % 3 == 0 ? BsonNull.Value : "t" + i }, { "c", new BsonDocument("d", i * 1.5) },
                    { "list", new BsonArray { i, "x", i % 2 } },
                    { "when", new BsonDateTime(1_700_000_000_000 + (i * 86_400_000L)) },
                    { "where", new BsonDocument { { "type", "Point" }, { "coordinates", new BsonArray { i, i } } } },
                    { "text", $"word{i} other" },
                }),
                cancellationToken: cancellationToken);
            await database.GetCollection<BsonDocument>(name).Indexes.CreateManyAsync(
                [
                    new CreateIndexModel<BsonDocument>("{ a: 1 }"), new CreateIndexModel<BsonDocument>("{ text: 'text' }"),
                    new CreateIndexModel<BsonDocument>("{ where: '2dsphere' }"),
                ],
                cancellationToken);
        }

        await database.RunCommandAsync<BsonDocument>(
            "{ create: 'v', viewOn: 'a', pipeline: [{ $match: { a: { $gt: 1 } } }] }", cancellationToken: cancellationToken);
        await database.RunCommandAsync<BsonDocument>("{ create: 'of_missing', viewOn: 'missing', pipeline: [] }", cancellationToken: cancellationToken);
    }

    /// <summary>Counts in a document of its own; nothing is lost and nothing fails while the engine runs.</summary>
    private async Task BystandAsync(CancellationToken ended)
    {
        var mine = bystander.GetDatabase(Database + "_bystander").GetCollection<BsonDocument>("mine");
        await mine.DeleteManyAsync("{}", CancellationToken.None);
        var count = 0;
        while (!ended.IsCancellationRequested)
        {
            var before = engine.Crashes;
            try
            {
                var document = await mine.FindOneAndUpdateAsync<BsonDocument>(
                    "{ _id: 1 }", "{ $inc: { n: 1 } }", new FindOneAndUpdateOptions<BsonDocument> { IsUpsert = true, ReturnDocument = ReturnDocument.After },
                    CancellationToken.None);
                count++;
                if (document["n"] != count)
                {
                    Find(Finding.Disturbed, $"the bystander counted {count} and finds {document["n"]}", null);
                    count = document["n"].ToInt32();
                }
            }
            catch (Exception e) when (e is MongoException or TimeoutException)
            {
                // The crash itself is a finding, and the count after it is not known to the bystander.
                if (engine.Crashes == before)
                {
                    Find(Finding.Disturbed, $"the bystander was disturbed: {e.Message}", "bystander " + e.GetType().Name);
                }

                await RecoverAsync(CancellationToken.None);
                await mine.DeleteManyAsync("{}", CancellationToken.None);
                count = 0;
            }

            await Task.WhenAny(Task.Delay(20, ended));
        }
    }

    private void Find(Finding finding, string what, string? kind)
    {
        lock (Findings)
        {
            if (kind is null || _known.Add(kind))
            {
                Findings.Add((finding, what));
                say($"{finding}: {what}");
            }
        }
    }

    /// <summary>What messages of one kind have in common: their beginning, without numbers.</summary>
    private static string Shape(string message)
    {
        var text = string.Concat(message.Where(c => !char.IsDigit(c)));
        var said = text.IndexOf("failed: ", StringComparison.Ordinal) is >= 0 and var at ? text[(at + 8)..] : text;
        return said.Length > 20 ? said[..20] : said;
    }
}
