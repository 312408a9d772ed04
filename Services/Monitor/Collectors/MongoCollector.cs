using MongoDB.Bson;

namespace Platform.Monitor.Collectors;

/// <summary>
/// Every member of the replica set, by <c>serverStatus</c>, and the set, by <c>replSetGetStatus</c> of the first that answers.
/// <see href="https://www.mongodb.com/docs/manual/reference/command/serverStatus/"/>
/// <see href="https://www.mongodb.com/docs/manual/reference/command/replSetGetStatus/"/>
/// </summary>
internal sealed class MongoCollector(MongoMembers members, TimeProvider time) : ICollector
{
    private const int Primary = 1;
    private const int Secondary = 2;

    private static readonly BsonDocument s_status = new()
    {
        { "serverStatus", 1 }, { "repl", 0 }, { "metrics", 1 }, { "locks", 0 }, { "wiredTiger", 0 }, { "tcmalloc", 0 },
    };

    /// <inheritdoc/>
    public string Name => "mongo";

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Sample>> CollectAsync(CancellationToken cancellationToken)
    {
        var known = members.Known;
        var answers = await Task.WhenAll(known.Select(async member =>
        {
            var asked = time.GetTimestamp();
            var status = await members.AskAsync(member, s_status, cancellationToken);
            // Somewhere within the question and its answer the member looked at its clock.
            return (member, status, Now: time.GetUtcNow() - (time.GetElapsedTime(asked) / 2));
        }));
        var samples = new List<Sample>();
        foreach (var (member, status, now) in answers)
        {
            samples.Add(new(MetricCatalogue.MongoUp, status is null ? 0 : 1, member));
            if (status is not null)
            {
                AddStatus(samples, member, status);
                AddClock(samples, member, status, now);
            }
        }

        foreach (var (member, status, _) in answers)
        {
            if (status is not null && await members.AskAsync(member, new BsonDocument("replSetGetStatus", 1), cancellationToken) is { } set)
            {
                members.Learn(set["members"].AsBsonArray.Select(one => one["name"].AsString));
                AddSet(samples, set);
                break;
            }
        }

        return samples;
    }

    /// <summary>What <c>serverStatus</c> says; what a server leaves out is left out.</summary>
    internal static void AddStatus(List<Sample> samples, string member, BsonDocument status)
    {
        Add(MetricCatalogue.MongoConnections, ["connections", "current"], "current");
        Add(MetricCatalogue.MongoConnections, ["connections", "available"], "available");
        Add(MetricCatalogue.MongoCursors, ["metrics", "cursor", "open", "total"]);
        Add(MetricCatalogue.MongoQueue, ["globalLock", "currentQueue", "total"]);
        Add(MetricCatalogue.MongoUptime, ["uptime"]);
        if (At(status, ["mem", "resident"]) is { } mebibytes)
        {
            samples.Add(new(MetricCatalogue.MongoMemory, mebibytes * 1024 * 1024, member));
        }

        if (status.TryGetValue("opcounters", out var counters) && counters.IsBsonDocument)
        {
            foreach (var counter in counters.AsBsonDocument.Where(counter => counter.Value.IsNumeric))
            {
                samples.Add(new(MetricCatalogue.MongoOperations, counter.Value.ToDouble(), member, counter.Name));
            }
        }

        void Add(MetricDefinition metric, string[] path, params string[] labels)
        {
            if (At(status, path) is { } value)
            {
                samples.Add(new(metric, value, [member, .. labels]));
            }
        }
    }

    /// <summary>How far the member's clock is from ours, in either direction.</summary>
    internal static void AddClock(List<Sample> samples, string member, BsonDocument status, DateTimeOffset now)
    {
        if (status.TryGetValue("localTime", out var local) && local.IsValidDateTime)
        {
            samples.Add(new(MetricCatalogue.MongoClockSkew, Math.Abs((now.UtcDateTime - local.ToUniversalTime()).TotalSeconds), member));
        }
    }

    /// <summary>What <c>replSetGetStatus</c> says of the members: their states, and how far each is behind the primary's last write.</summary>
    internal static void AddSet(List<Sample> samples, BsonDocument set)
    {
        var all = set["members"].AsBsonArray.Select(member => member.AsBsonDocument).ToList();
        var last = all.Where(member => member["state"].ToInt32() == Primary).Select(Written).FirstOrDefault();
        foreach (var member in all)
        {
            var (name, state) = (member["name"].AsString, member["state"].ToInt32());
            samples.Add(new(MetricCatalogue.MongoMemberState, state, name));
            samples.Add(new(MetricCatalogue.MongoPrimary, state == Primary ? 1 : 0, name));
            if (state == Secondary && last is { } primary && Written(member) is { } own)
            {
                // A secondary may be asked a moment after the primary.
                samples.Add(new(MetricCatalogue.MongoLag, Math.Max(0, (primary - own).TotalSeconds), name));
            }
        }

        if (set.TryGetValue("term", out var term))
        {
            samples.Add(new(MetricCatalogue.MongoTerm, term.ToDouble()));
        }

        static DateTime? Written(BsonDocument member) => member.TryGetValue("optimeDate", out var date) && date.IsValidDateTime ? date.ToUniversalTime() : null;
    }

    private static double? At(BsonDocument document, ReadOnlySpan<string> path)
    {
        BsonValue value = document;
        foreach (var name in path)
        {
            if (value is not BsonDocument inner || !inner.TryGetValue(name, out value!))
            {
                return null;
            }
        }

        return value.IsNumeric ? value.ToDouble() : null;
    }
}
