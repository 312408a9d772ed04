using System.Diagnostics;
using MongoDB.Bson;
using Platform.Data.Access;
using Platform.Migrator.Access;
using Platform.Tests.TestKit.Access;

namespace Platform.Tests.TestKit.Fuzz;

/// <summary>
/// Users of every role of MongoDB's manual and of the product's access catalogue, and clients that are nobody, send commands in sequences of a seed. A command
/// is refused for want of rights exactly if the user's rights, as <see cref="AccessOracle"/> reads them, do not cover all that it reaches.
/// </summary>
/// <param name="port">The gateway's port.</param>
/// <param name="root">The administrative user.</param>
/// <param name="password">That user's password.</param>
/// <param name="say">Told of each finding at once.</param>
internal sealed class RightsFuzz(int port, string root, string password, Action<string> say)
{
    private const int Workers = 3;
    private const int Unauthorized = 13;
    private const int MaxDepth = 3;
    private const string Secret = "secret of all";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly AccessSample[] s_samples = [.. AccessSample.All.Where(sample => sample.IsHarmless)];
    private static readonly string[] s_collections =
    [
        CollectionNames.Orders, CollectionNames.Customers, CollectionNames.Products, CollectionNames.Users, CollectionNames.Inventory, CollectionNames.Outbox,
        CollectionNames.KeyVault, CollectionNames.Migrations, CollectionNames.MigrationStates, "second", "third",
    ];

    private readonly string _database = "rights" + Guid.NewGuid().ToString("N")[..12];
    private readonly List<Someone> _everybody = [new("nobody", null, [])];
    private readonly Lock _gate = new();
    private int _sent;
    private int _allowed;

    /// <summary>What was found.</summary>
    public List<string> Findings { get; } = [];

    /// <summary>How many commands were sent.</summary>
    public int Sent => _sent;

    /// <summary>How many of them the user might send.</summary>
    public int Allowed => _allowed;

    private string Elsewhere => _database + "x";

    /// <summary>Runs the sequences of a seed until so many commands were sent or the time is over.</summary>
    public async Task RunAsync(int seed, int commands, TimeSpan duration, CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken);
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(
            async () =>
            {
                var random = new Random((seed * 31) + worker);
                var clients = new Dictionary<Someone, WireClient>();
                try
                {
                    for (var i = 0; i < commands / Workers && Stopwatch.GetElapsedTime(started) < duration; i++)
                    {
                        var someone = Pick(random, _everybody);
                        if (!clients.TryGetValue(someone, out var client))
                        {
                            clients[someone] = client = await ConnectAsync(someone.Login, Secret, cancellationToken);
                        }

                        await TryAsync(client, someone, Next(random), $"seed {seed}, worker {worker}", cancellationToken);
                    }
                }
                finally
                {
                    foreach (var client in clients.Values)
                    {
                        await client.DisposeAsync();
                    }
                }
            },
            cancellationToken)));
    }

    private async Task TryAsync(WireClient client, Someone someone, Attempt attempt, string when, CancellationToken cancellationToken)
    {
        // Who is nobody may say hello and log in, and each such command has a test of its own.
        if (someone.Login is null && attempt.NeedsNothing)
        {
            return;
        }

        var allowed = someone.Login is not null && attempt.IsAllowed(someone.Rights);
        var command = attempt.Command;
        try
        {
            var reply = await client.CommandAsync(command, cancellationToken).WaitAsync(s_patience, cancellationToken);
            Interlocked.Increment(ref _sent);
            Interlocked.Add(ref _allowed, allowed ? 1 : 0);
            if (reply.GetValue("code", 0) == Unauthorized == allowed)
            {
                Find($"{someone.Name} {(allowed ? "may" : "may not")} send {command.ToJson()} and got {reply.ToJson()}");
            }
        }
        catch (Exception exception) when (exception is TimeoutException or IOException)
        {
            Find($"{someone.Name} sent {command.ToJson()} and got no answer: {exception.Message}");
            throw;
        }

        void Find(string what)
        {
            lock (_gate)
            {
                Findings.Add($"{when}: {what}");
                say(Findings[^1]);
            }
        }
    }

    private Attempt Next(Random random)
    {
        var (database, collection) = (random.Next(4) > 0 ? _database : Elsewhere, Pick(random, s_collections));
        if (random.Next(2) == 0)
        {
            var sample = Pick(random, s_samples);
            return new(sample.For(database, collection), sample.Needs.Length == 0, rights => sample.IsAllowed(rights, database, collection));
        }

        var needs = new List<string>();
        var command = random.Next(6) switch
        {
            0 => BulkWrite(random, database, needs),
            1 => new BsonDocument { { "explain", Aggregate(random, database, collection, needs) }, { "verbosity", "queryPlanner" } },
            _ => Aggregate(random, database, collection, needs),
        };
        command["$db"] = command.Contains("bulkWrite") ? "admin" : database;
        return new(command, false, rights => AccessOracle.Allows(rights, string.Join(", ", needs)));
    }

    private BsonDocument Aggregate(Random random, string database, string collection, List<string> needs)
    {
        needs.Add($"find {database}.{collection}");
        var stages = Stages(random, database, needs, depth: 0, inFacet: false);
        if (random.Next(5) == 0)
        {
            var (into, target) = (Pick(random, [database, Elsewhere]), Pick(random, s_collections));
            var place = new BsonDocument { { "db", into }, { "coll", target } };
            switch (random.Next(3))
            {
                case 0:
                    stages.Add(new BsonDocument("$out", place));
                    needs.AddRange([$"insert {into}.{target}", $"remove {into}.{target}"]);
                    break;
                case 1:
                    stages.Add(new BsonDocument("$merge", new BsonDocument("into", place)));
                    needs.AddRange([$"insert {into}.{target}", $"update {into}.{target}"]);
                    break;
                default:
                    stages.Add(new BsonDocument("$merge", new BsonDocument { { "into", place }, { "whenNotMatched", "discard" } }));
                    needs.Add($"update {into}.{target}");
                    break;
            }
        }

        return new BsonDocument { { "aggregate", collection }, { "pipeline", stages }, { "cursor", new BsonDocument() } };
    }

    private static T Pick<T>(Random random, IReadOnlyList<T> of) => of[random.Next(of.Count)];

    private static BsonArray Stages(Random random, string database, List<string> needs, int depth, bool inFacet)
    {
        var stages = new BsonArray();
        for (var count = random.Next(depth == 0 ? 1 : 0, 4); stages.Count < count;)
        {
            stages.Add(Stage(random, database, needs, depth, inFacet));
        }

        return stages;
    }

    private static BsonDocument Stage(Random random, string database, List<string> needs, int depth, bool inFacet)
    {
        var kind = random.Next(depth < MaxDepth ? 6 : 2);
        if (kind == 0 || (kind == 5 && inFacet))
        {
            return new BsonDocument("$match", new BsonDocument("a", random.Next(3)));
        }

        if (kind == 5)
        {
            return new BsonDocument("$facet", new BsonDocument("f", Stages(random, database, needs, depth + 1, inFacet: true)));
        }

        var other = Pick(random, s_collections);
        needs.Add($"find {database}.{other}");
        return kind switch
        {
            1 => new("$lookup", new BsonDocument { { "from", other }, { "localField", "a" }, { "foreignField", "b" }, { "as", "x" } }),
            2 => new("$lookup", new BsonDocument { { "from", other }, { "as", "x" }, { "pipeline", Stages(random, database, needs, depth + 1, inFacet) } }),
            3 => new("$unionWith", random.Next(2) == 0 ? other
                : new BsonDocument { { "coll", other }, { "pipeline", Stages(random, database, needs, depth + 1, inFacet) } }),
            _ => new("$graphLookup", new BsonDocument
            {
                { "from", other }, { "startWith", "$a" }, { "connectFromField", "a" }, { "connectToField", "b" }, { "as", "x" },
            }),
        };
    }

    private BsonDocument BulkWrite(Random random, string database, List<string> needs)
    {
        var (namespaces, operations) = (new BsonArray(), new BsonArray());
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var place = $"{(random.Next(3) > 0 ? database : Elsewhere)}.{Pick(random, s_collections)}";
            namespaces.Add(new BsonDocument("ns", place));
            var number = namespaces.Count - 1;
            var (operation, need) = random.Next(3) switch
            {
                0 => (new BsonDocument { { "insert", number }, { "document", new BsonDocument("a", 1) } }, "insert"),
                1 => (new BsonDocument { { "delete", number }, { "filter", new BsonDocument("a", 0) } }, "remove"),
                _ => (
                    new BsonDocument
                    {
                        { "update", number }, { "filter", new BsonDocument("a", 0) }, { "updateMods", new BsonDocument("$set", new BsonDocument("a", 1)) },
                    },
                    "update"),
            };
            operations.Add(operation);
            needs.Add($"{need} {place}");
        }

        return new BsonDocument { { "bulkWrite", 1 }, { "ops", operations }, { "nsInfo", namespaces } };
    }

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (_everybody.Count > 1)
        {
            return;
        }

        await using var administrator = await ConnectAsync(root, password, cancellationToken);
        foreach (var role in AccessOracle.Roles)
        {
            var on = AccessOracle.IsOfDatabases(role) ? _database : "admin";
            var user = $"{_database}-{role}";
            await DoAsync("admin", new BsonDocument
            {
                { "createUser", user }, { "pwd", Secret }, { "roles", new BsonArray { new BsonDocument { { "role", role }, { "db", on } } } },
            });
            _everybody.Add(new(role, user, [.. AccessOracle.RightsOf(role, on)]));
        }

        await DoAsync(_database, new BsonDocument { { "insert", CollectionNames.Orders }, { "documents", new BsonArray { new BsonDocument("a", 1) } } });
        foreach (var step in new AccessPlanner(AccessCatalogue.All, _database).Compare([], [], []))
        {
            await DoAsync(step.Database, step.Command!.Contains("createUser") ? step.Command.Add("pwd", Secret) : step.Command);
        }

        _everybody.AddRange(AccessCatalogue.All.Select(principal => new Someone(principal.Name, principal.UserOf(_database), [.. RightsOf(principal)])));

        async Task DoAsync(string database, BsonDocument command)
        {
            var reply = await administrator.CommandAsync(command.Add("$db", database), cancellationToken);
            if (reply["ok"] != 1)
            {
                throw new InvalidOperationException($"{command.ToJson()}: {reply.ToJson()}");
            }
        }
    }

    private IEnumerable<(string Resource, IReadOnlySet<string> Actions)> RightsOf(Principal principal) =>
    [
        .. principal.DatabaseRoles.SelectMany(role => AccessOracle.RightsOf(role, _database)),
        .. principal.ClusterRoles.SelectMany(role => AccessOracle.RightsOf(role, "admin")),
        .. principal.Grants.SelectMany(grant => Places(grant).Select(place => (place, (IReadOnlySet<string>)grant.Actions.ToHashSet(StringComparer.Ordinal)))),
    ];

    private IEnumerable<string> Places(Grant grant) => grant.On switch
    {
        GrantTarget.Cluster => ["cluster"],
        GrantTarget.Database => [_database],
        GrantTarget.Users => ["admin"],
        _ => grant.Collections.Select(collection => $"{_database}.{collection}"),
    };

    private async Task<WireClient> ConnectAsync(string? user, string secret, CancellationToken cancellationToken)
    {
        var client = await WireClient.ConnectAsync(port, cancellationToken);
        if (user is not null)
        {
            await client.LoginAsync(user, secret, cancellationToken).WaitAsync(s_patience, cancellationToken);
        }

        return client;
    }

    private sealed record Someone(string Name, string? Login, IReadOnlyList<(string Resource, IReadOnlySet<string> Actions)> Rights);

    private sealed record Attempt(
        BsonDocument Command, bool NeedsNothing, Func<IReadOnlyList<(string Resource, IReadOnlySet<string> Actions)>, bool> IsAllowed);
}
