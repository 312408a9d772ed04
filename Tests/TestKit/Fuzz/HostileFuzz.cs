using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using MongoDB.Bson;

namespace Platform.Tests.TestKit.Fuzz;

/// <summary>
/// Users of every role, and clients that are none, who take, guess, kill and claim whatever they can, in sequences of a seed, while a
/// bystander and an administrator work. It tells of everything that must not happen: an answer that shows something broken inside or that
/// grants what is not theirs, no answer, and a bystander or an administrator who fails or waits.
/// </summary>
/// <param name="port">The gateway's port.</param>
/// <param name="root">The administrative user.</param>
/// <param name="password">That user's password.</param>
/// <param name="say">Told of each finding at once.</param>
internal sealed class HostileFuzz(int port, string root, string password, Action<string> say)
{
    private const int Attackers = 6;
    private const int Unauthorized = 13, Internal = 1;
    private const string Secret = "secret of all";

    // What a bystander may have to wait on a machine that is busy with the attacks.
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(8);
    private readonly string _database = "hostile" + Guid.NewGuid().ToString("N");
    private readonly string _suffix = Guid.NewGuid().ToString("N")[..8];
    private readonly Guid _session = Guid.NewGuid();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private long _cursor;
    private int _attacks;
    private int _worked;

    /// <summary>What was found.</summary>
    public List<string> Findings { get; } = [];

    /// <summary>How many attacks were made.</summary>
    public int Attacks => _attacks;

    /// <summary>How often the bystander and the administrator did their work meanwhile.</summary>
    public int Worked => _worked;

    private string Reader => "reader" + _suffix;

    private string Other => "other" + _suffix;

    private string Second => "administrator" + _suffix;

    private string Bystander => "bystander" + _suffix;

    /// <summary>Runs the sequences of a seed until the time is over.</summary>
    public async Task RunAsync(int seed, TimeSpan duration, CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        over.CancelAfter(duration);
        var tasks = Enumerable.Range(0, Attackers).Select(
            i => Task.Run(() => AttackAsync(new Random((seed * 31) + i), $"seed {seed}, attacker {i}", over.Token, cancellationToken), cancellationToken))
            .Append(Task.Run(() => WorkAsync("bystander", BystandAsync, over.Token, cancellationToken), cancellationToken))
            .Append(Task.Run(() => WorkAsync("administrator", AdministerAsync, over.Token, cancellationToken), cancellationToken));
        await Task.WhenAll(tasks);
    }

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await using var administrator = await LoginAsync(root, password, cancellationToken);
        foreach (var (user, role) in ((string, string)[])
        [
            (Reader, "readAnyDatabase"),
            (Other, "readAnyDatabase"),
            (Bystander, "readAnyDatabase"),
            (Second, "root"),
        ])
        {
            await administrator.CommandAsync(
                new BsonDocument { { "createUser", user }, { "pwd", Secret }, { "roles", new BsonArray { role } }, { "$db", "admin" } }, cancellationToken);
        }

        await administrator.CommandAsync(
            new BsonDocument
            {
                { "insert", "pages" }, { "$db", _database },
                {
                    "documents",
                    new BsonArray(Enumerable.Range(0, 200).Select(i => new BsonDocument { { "_id", i }, { "a", -i }, { "fill", new string('x', 1_000) } }))
                },
            },
            cancellationToken);
        // Whoever has logged in once is never kept out by others' guesses.
        await (await LoginAsync(Bystander, Secret, cancellationToken)).DisposeAsync();
    }

    /// <summary>Repeats the work of somebody who must not be disturbed.</summary>
    private async Task WorkAsync(string who, Func<CancellationToken, Task> work, CancellationToken over, CancellationToken cancellationToken)
    {
        while (!over.IsCancellationRequested)
        {
            var watch = Stopwatch.StartNew();
            try
            {
                await work(cancellationToken).WaitAsync(s_bound * 2, cancellationToken);
                Interlocked.Increment(ref _worked);
                if (watch.Elapsed > s_bound)
                {
                    Find($"the {who} was slow", $"{watch.Elapsed.TotalSeconds:0.0} s");
                }
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested
                && e is IOException or SocketException or TimeoutException or InvalidOperationException or KeyNotFoundException)
            {
                Find($"the {who} failed: {e.Message}", $"after {watch.Elapsed.TotalSeconds:0.0} s");
            }
        }
    }

    /// <summary>Reads a result of several pages in a session, as drivers do.</summary>
    private async Task BystandAsync(CancellationToken cancellationToken)
    {
        await using var client = await LoginAsync(Bystander, Secret, cancellationToken);
        for (var round = 0; round < 5; round++)
        {
            var page = Succeeded(await client.CommandAsync(Find(_session, 20), cancellationToken));
            var read = page["firstBatch"].AsBsonArray.Count;
            for (var id = page["id"].AsInt64; id != 0; id = page["id"].AsInt64)
            {
                Volatile.Write(ref _cursor, id);
                var more =
                    new BsonDocument { { "getMore", id }, { "collection", "pages" }, { "batchSize", 60 }, { "lsid", Session(_session) }, { "$db", _database } };
                page = Succeeded(await client.CommandAsync(more, cancellationToken));
                read += page["nextBatch"].AsBsonArray.Count;
            }

            if (read != 200)
            {
                throw new InvalidOperationException($"{read} documents of 200 were read");
            }
        }

        static BsonDocument Succeeded(BsonDocument reply) =>
            reply["ok"] == 1 ? reply["cursor"].AsBsonDocument : throw new InvalidOperationException(reply["errmsg"].AsString);
    }

    /// <summary>Logs in, writes, and looks at what happens.</summary>
    private async Task AdministerAsync(CancellationToken cancellationToken)
    {
        await using var client = await LoginAsync(root, password, cancellationToken);
        foreach (var command in (BsonDocument[])[
            new() { { "update", "orders" }, { "updates", new BsonArray
            {
                new BsonDocument { { "q", new BsonDocument("_id", 1) }, { "u", new BsonDocument("$inc", new BsonDocument("n", 1)) }, { "upsert", true } },
            } }, { "lsid", Session(Guid.NewGuid()) }, { "txnNumber", 1L }, { "$db", _database } },
            new() { { "currentOp", 1 }, { "$db", "admin" } }, new() { { "serverStatus", 1 }, { "$db", "admin" } }])
        {
            var reply = await client.CommandAsync(command, cancellationToken);
            if (reply["ok"] != 1)
            {
                throw new InvalidOperationException($"{command.GetElement(0).Name}: {reply["errmsg"]}");
            }
        }
    }

    private async Task AttackAsync(Random random, string origin, CancellationToken over, CancellationToken cancellationToken)
    {
        while (!over.IsCancellationRequested)
        {
            var what = random.Next(14);
            try
            {
                await AttackAsync(what, random, over).WaitAsync(TimeSpan.FromSeconds(90), cancellationToken);
            }
            catch (OperationCanceledException) when (over.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
                when (!cancellationToken.IsCancellationRequested && e is IOException or SocketException or InvalidOperationException or KeyNotFoundException)
            {
                // A connection that is closed on an attacker is an answer, too.
            }
            catch (TimeoutException)
            {
                Find($"attack {what} was not answered", origin);
            }

            Interlocked.Increment(ref _attacks);
        }
    }

    private async Task AttackAsync(int what, Random random, CancellationToken cancellationToken)
    {
        switch (what)
        {
            case 0:
                // More transactions than there are connections to the engine.
                await using (var client = await LoginAsync(Any(random), Secret, cancellationToken))
                {
                    for (var i = 0; i < 20 + random.Next(20); i++)
                    {
                        var begin = Find(Guid.NewGuid(), 5).Add("txnNumber", 1L).Add("startTransaction", true).Add("autocommit", false);
                        if ((await TryAsync(client, begin, cancellationToken))["ok"] != 1)
                        {
                            break;
                        }
                    }

                    await Task.Delay(random.Next(1_000), cancellationToken);
                }

                break;
            case 1 or 2:
                await using (var client = await LoginAsync(Any(random), Secret, cancellationToken))
                {
                    for (var i = 0; i < 100; i++)
                    {
                        await TryAsync(client, Find(random.Next(2) == 0 ? Guid.NewGuid() : null, 1), cancellationToken);
                    }
                }

                break;
            case 3:
                await using (var client = await LoginAsync(Any(random), Secret, cancellationToken))
                {
                    var name = random.Next(3) switch { 0 => "endSessions", 1 => "killSessions", _ => "refreshSessions" };
                    var count = random.Next(2) == 0 ? 9_000 : 30_000;
                    await TryAsync(
                        client,
                        new BsonDocument { { name, new BsonArray(Enumerable.Range(0, count).Select(_ => Session(Guid.NewGuid()))) }, { "$db", "admin" } },
                        cancellationToken);
                }

                break;
            case 4:
                await using (var client = await LoginAsync(Any(random), Secret, cancellationToken))
                {
                    for (var i = 0; i < 500; i++)
                    {
                        var insert = new BsonDocument
                        {
                            { "insert", "made" },
                            { "documents", new BsonArray() },
                            { "lsid", Session(Guid.NewGuid()) },
                            { "txnNumber", 1L },
                            { "$db", _database },
                        };
                        await TryAsync(client, insert, cancellationToken);
                    }
                }

                break;
            case 5:
                var sockets = new List<WireClient>();
                try
                {
                    for (var i = 0; i < 150; i++)
                    {
                        sockets.Add(await WireClient.ConnectAsync(port, cancellationToken));
                        await sockets[^1].SendAsync(WireClient.Message(new BsonDocument { { "hello", 1 }, { "$db", "admin" } }, i), cancellationToken);
                    }

                    await Task.Delay(random.Next(1_000), cancellationToken);
                }
                finally
                {
                    foreach (var socket in sockets)
                    {
                        await socket.DisposeAsync();
                    }
                }

                break;
            case 6:
                await using (var client = await WireClient.ConnectAsync(port, cancellationToken))
                {
                    var metadata = new BsonDocument("application", new BsonDocument("name", new string('x', random.Next(60_000))));
                    await TryAsync(client, new BsonDocument { { "hello", 1 }, { "client", metadata }, { "$db", "admin" } }, cancellationToken);
                }

                break;
            case 7:
                await GuessAsync(random, cancellationToken);
                break;
            case 8:
                // What is the bystander's.
                await using (var client = await LoginAsync(Any(random), Secret, cancellationToken))
                {
                    var cursor = Volatile.Read(ref _cursor);
                    var ended = await TryAsync(
                        client,
                        new BsonDocument { { "killCursors", "pages" }, { "cursors", new BsonArray { cursor } }, { "$db", _database } },
                        cancellationToken);
                    if (ended["ok"] == 1 && ended["cursorsKilled"].AsBsonArray.Count > 0)
                    {
                        Find("killCursors closed another user's cursor", "");
                    }

                    var read = new BsonDocument { { "getMore", cursor }, { "collection", "pages" }, { "lsid", Session(_session) }, { "$db", _database } };
                    if ((await TryAsync(client, read, cancellationToken))["ok"] == 1)
                    {
                        Find("getMore read another user's cursor", "");
                    }

                    foreach (var name in (string[])["endSessions", "killSessions", "refreshSessions"])
                    {
                        await TryAsync(client, new BsonDocument { { name, new BsonArray { Session(_session) } }, { "$db", "admin" } }, cancellationToken);
                    }

                    foreach (var name in (string[])["abortTransaction", "commitTransaction"])
                    {
                        await TryAsync(client, new BsonDocument
                        {
                            { name, 1 },
                            { "lsid", Session(_session) },
                            { "txnNumber", (long)random.Next(3) },
                            { "autocommit", false },
                            { "$db", "admin" },
                        }, cancellationToken);
                    }
                }

                break;
            case 9:
                // What only administrators may.
                await using (var client = await LoginAsync(random.Next(2) == 0 ? Reader : Other, Secret, cancellationToken))
                {
                    foreach (var command in (BsonDocument[])[
                        new("dropUser", Bystander), new("killAllSessions", new BsonArray()), new() { { "killOp", 1 }, { "op", "1:1" } }, new("currentOp", 1),
                        new("getLog", "global"), new("profile", 2), new("usersInfo", 1),
                        new() { { "createUser", "x" + _suffix }, { "pwd", "x" }, { "roles", new BsonArray { "root" } } },
                        new() { { "grantRolesToUser", Reader }, { "roles", new BsonArray { "root" } } }, new() { { "updateUser", root }, { "pwd", "x" } }])
                    {
                        var reply = await TryAsync(client, command.Add("$db", "admin"), cancellationToken);
                        if (reply.GetValue("code", 0) != Unauthorized)
                        {
                            Find($"{command.GetElement(0).Name} was not refused to a reader", reply.ToString());
                        }
                    }
                }

                break;
            case 10:
                await using (var client = await LoginAsync(Any(random), Secret, cancellationToken))
                {
                    foreach (var name in (string[])["find", "count", "listIndexes", "drop", "distinct", "aggregate", "dbStats", "listCollections", "collStats"])
                    {
                        var command = new BsonDocument
                        {
                            { name, Name(random) },
                            { "key", "a" },
                            { "pipeline", new BsonArray() },
                            { "cursor", new BsonDocument() },
                            { "$db", Name(random) },
                        };
                        await TryAsync(client, command, cancellationToken);
                    }
                }

                break;
            case 11:
                // A message that is announced and does not come.
                await using (var client = await LoginAsync(Any(random), Secret, cancellationToken))
                {
                    var begun = new byte[500_000];
                    BinaryPrimitives.WriteInt32LittleEndian(begun, 47_000_000);
                    BinaryPrimitives.WriteInt32LittleEndian(begun.AsSpan(12), 2013);
                    await client.SendAsync(begun, cancellationToken);
                    await Task.Delay(random.Next(500), cancellationToken);
                }

                break;
            case 12:
                // Replies that nobody takes.
                await using (var client = await LoginAsync(Any(random), Secret, cancellationToken))
                {
                    for (var i = 0; i < 20; i++)
                    {
                        await client.SendAsync(WireClient.Message(Find(null, 1_000), i), cancellationToken);
                    }

                    await Task.Delay(random.Next(500), cancellationToken);
                }

                break;
            default:
                await using (var client = await WireClient.ConnectAsync(port, cancellationToken))
                {
                    foreach (var name in (string[])["find", "createUser", "insert", "killAllSessions", "endSessions", "serverStatus"])
                    {
                        var reply = await TryAsync(
                            client,
                            new BsonDocument { { name, "x" }, { "pwd", "x" }, { "roles", new BsonArray { "root" } }, { "$db", "admin" } },
                            cancellationToken);
                        if (reply["ok"] == 1)
                        {
                            Find($"{name} was served without a login", reply.ToString());
                        }
                    }
                }

                break;
        }
    }

    /// <summary>Begins many logins and only then sends the guesses.</summary>
    private async Task GuessAsync(Random random, CancellationToken cancellationToken)
    {
        var begun = new List<(WireClient Client, BsonDocument Started)>();
        try
        {
            for (var i = 0; i < 20; i++)
            {
                var name = random.Next(4) switch { 0 => Bystander, 1 => root, 2 => Name(random), _ => $"nobody{random.Next(100_000)}" };
                var client = await WireClient.ConnectAsync(port, cancellationToken);
                begun.Add((client, []));
                begun[^1] = (client, await client.StartLoginAsync(name, cancellationToken));
            }

            foreach (var (client, started) in begun)
            {
                if (started["ok"] == 1)
                {
                    var nonce = Encoding.UTF8.GetString(started["payload"].AsByteArray).Split(',')[0];
                    var proof = random.Next(3) == 0 ? Name(random) : Convert.ToBase64String(new byte[32]);
                    var reply = await TryAsync(client, new BsonDocument
                    {
                        { "saslContinue", 1 },
                        { "conversationId", 1 },
                        { "payload", Encoding.UTF8.GetBytes($"c=biws,{nonce},p={proof}") },
                        { "$db", "admin" },
                    }, cancellationToken);
                    if (reply["ok"] == 1)
                    {
                        Find("a wrong proof was taken", "");
                    }
                }
            }
        }
        finally
        {
            foreach (var (client, _) in begun)
            {
                await client.DisposeAsync();
            }
        }
    }

    private async Task<BsonDocument> TryAsync(WireClient client, BsonDocument command, CancellationToken cancellationToken)
    {
        var reply = await client.CommandAsync(command, cancellationToken);
        var text = reply.GetValue("errmsg", "").AsString;
        if (reply.GetValue("code", 0) == Internal || text.Contains("documentdb_", StringComparison.Ordinal) || text.Contains("pg_", StringComparison.Ordinal)
            || text.Contains("encoding", StringComparison.Ordinal))
        {
            Find($"{command.GetElement(0).Name} answers {text}", command.ToString()[..Math.Min(300, command.ToString().Length)]);
        }

        return reply;
    }

    private async Task<WireClient> LoginAsync(string user, string secret, CancellationToken cancellationToken)
    {
        var client = await WireClient.ConnectAsync(port, cancellationToken);
        try
        {
            await client.LoginAsync(user, secret, cancellationToken);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    private string Any(Random random) => random.Next(3) switch { 0 => Reader, 1 => Other, _ => Second };

    private static string Name(Random random)
    {
        const string characters = "ab.$\0\n \u001bä\uFFFD\"/\\%c";
        var name = new StringBuilder();
        for (var length = random.Next(4) == 0 ? random.Next(400) : random.Next(8); name.Length < length;)
        {
            name.Append(characters[random.Next(characters.Length)]);
        }

        return name.ToString();
    }

    private BsonDocument Find(Guid? session, int batchSize)
    {
        var command = new BsonDocument { { "find", "pages" }, { "sort", new BsonDocument("a", 1) }, { "batchSize", batchSize } };
        return (session is { } id ? command.Add("lsid", Session(id)) : command).Add("$db", _database);
    }

    private static BsonDocument Session(Guid id) => new("id", new BsonBinaryData(id, GuidRepresentation.Standard));

    private void Find(string what, string origin)
    {
        lock (_known)
        {
            if (_known.Add(what))
            {
                Findings.Add($"{what} ({origin})");
                say(Findings[^1]);
            }
        }
    }
}
