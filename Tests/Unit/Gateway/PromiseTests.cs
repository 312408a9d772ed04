using MongoDB.Bson;
using Platform.Gateway.Authorization;
using Platform.Gateway.Backend;
using Platform.Gateway.Commands;
using Platform.Gateway.Commands.Arguments;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;
using Platform.Wire.Messages;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>What clients ask to be promised: the cluster's time, concerns, collections that are not there.</summary>
public sealed class PromiseTests
{
    private const int OneYear = 365 * 24 * 60 * 60;

    private readonly LogicalClock _clock = new(TimeProvider.System);

    private static readonly CommandHandler s_nothing = _ => ValueTask.FromResult(Reply.Ok);

    [Fact]
    public void Every_write_moves_the_clock_on_whoever_writes_beside_it()
    {
        const int writers = 4;
        const int writes = 5_000;
        var seen = new long[writers * writes];
        Parallel.For(0, writers, writer =>
        {
            for (var i = 0; i < writes; i++)
            {
                var before = _clock.Now();
                _clock.Tick();
                var after = _clock.Now();
                Assert.True(after > before);
                seen[(writer * writes) + i] = after;
            }
        });
        Assert.True(seen.Max() - seen.Min() >= (writers * writes) - writers);
    }

    [Fact]
    public void A_time_that_a_client_has_seen_is_taken_in_unless_no_clock_can_have_given_it()
    {
        var now = _clock.Now();
        _clock.Advance(now - (10L << 32));
        Assert.True(_clock.Now() >= now);
        _clock.Advance(now + 7);
        Assert.True(_clock.Now() >= now + 7);

        var refused = Assert.Throws<CommandException>(() => _clock.Advance(now + ((2L * OneYear) << 32)));
        Assert.Equal(ErrorCode.ClusterTimeFailsRateLimiter, refused.Code);
        Assert.Equal(ErrorCode.ClusterTimeFailsRateLimiter, Assert.Throws<CommandException>(() => _clock.Advance(-1)).Code);
        Assert.True(_clock.Now() < now + (OneYear / 2 * (1L << 32)));
    }

    [Fact]
    public void What_a_client_has_seen_moves_the_time_of_the_cluster_and_not_that_of_operations()
    {
        var ahead = _clock.Wall() + (1000L << 32);
        _clock.Advance(ahead);
        Assert.True(_clock.Now() >= ahead);
        Assert.True(_clock.Wall() < ahead);
    }

    [Fact]
    public void A_write_concern_is_met_unmet_or_malformed_as_its_fields_say()
    {
        var random = new Random(20_26);
        for (var i = 0; i < 20_000; i++)
        {
            var members = random.Next(1, 8);
            var (concern, expected) = NextConcern(random, members);
            var (actual, code) = Outcome(concern, members);
            Assert.True(expected == code, $"{concern.ToJson()} gives {code} instead of {expected}");
            if (actual is { } read)
            {
                var reply = new RawDocument(read.AddUnmet(Reply.With(new BsonDocument("n", 1)))).ToTree();
                Assert.Equal((1, 1.0), (reply["n"].AsInt32, reply["ok"].AsDouble));
                Assert.Equal((int)code, reply.GetValue("writeConcernError", new BsonDocument("code", 0))["code"].AsInt32);
                Assert.Equal(concern.GetValue("wtimeout", 0).AsInt32, read.Limit.TotalMilliseconds);
                if (code == ErrorCode.OK)
                {
                    Assert.Equal(concern.GetValue("w", "majority") is { IsNumeric: true } count ? count.ToInt32() : (int?)null, read.Members);
                    var late = new RawDocument(read.AddOverdue(Reply.Ok)).ToTree()["writeConcernError"].AsBsonDocument;
                    Assert.Equal((64, "WriteConcernFailed", true), (late["code"].AsInt32, late["codeName"].AsString, late["errInfo"]["wtimeout"].AsBoolean));
                    Assert.Equal(concern.GetValue("w", "majority"), late["errInfo"]["writeConcern"]["w"]);
                }
                else
                {
                    Assert.Equal(concern["w"], reply["writeConcernError"]["errInfo"]["writeConcern"]["w"]);
                }
            }
        }
    }

    [Fact]
    public void A_reply_that_is_an_error_stays_what_it_is()
    {
        var (unmet, _) = Outcome(new BsonDocument("w", 2), members: 1);
        var error = Reply.Error(new CommandException(ErrorCode.BadValue, "no"));
        Assert.True(unmet!.Value.AddUnmet(error).Span.SequenceEqual(error.Span));
        Assert.True(unmet.Value.AddOverdue(error).Span.SequenceEqual(error.Span));
    }

    [Fact]
    public void A_write_without_a_concern_waits_for_a_majority()
    {
        WriteConcern none = default;
        Assert.Equal((CommitWait.Majority, (ErrorCode?)null, TimeSpan.Zero), (none.Commits, none.Unmet, none.Limit));
        var late = new RawDocument(none.AddOverdue(Reply.Ok)).ToTree()["writeConcernError"]["errInfo"]["writeConcern"];
        Assert.Equal(BsonDocument.Parse("{ w: 'majority', wtimeout: 0, provenance: 'implicitDefault' }"), late);
    }

    [Theory]
    [InlineData("{ w: 0 }", nameof(CommitWait.Nothing))]
    [InlineData("{ w: 1 }", nameof(CommitWait.Journal))]
    [InlineData("{ w: 1, j: true }", nameof(CommitWait.Journal))]
    [InlineData("{ w: 1, j: false }", nameof(CommitWait.Journal))]
    [InlineData("{ w: 2 }", nameof(CommitWait.Majority))]
    [InlineData("{ w: 3 }", nameof(CommitWait.Majority))]
    [InlineData("{ w: 4 }", nameof(CommitWait.Majority))]
    [InlineData("{ w: 'majority', j: false }", nameof(CommitWait.Majority))]
    [InlineData("{ j: true }", nameof(CommitWait.Majority))]
    public void A_commit_waits_for_what_the_concern_asks_for(string concern, string waits) =>
        Assert.Equal(waits, Outcome(BsonDocument.Parse(concern), members: 3).Concern!.Value.Commits.ToString());

    [Fact]
    public void What_writes_is_run_by_the_primary_only_and_every_other_command_knows_whether_it_needs_leave()
    {
        foreach (var name in (ReadOnlySpan<string>)["insert", "update", "delete", "findAndModify", "bulkWrite", "create", "drop", "dropDatabase",
            "collMod", "renameCollection", "createIndexes", "dropIndexes", "commitTransaction", "abortTransaction", "createUser", "dropUser"])
        {
            Assert.Equal(SecondaryUse.Never, new CommandDefinition(name, CommandAccess.Everybody, s_nothing).OnSecondary);
        }

        foreach (var name in (ReadOnlySpan<string>)["find", "aggregate", "count", "distinct", "listCollections", "listIndexes", "dbStats", "explain"])
        {
            Assert.Equal(SecondaryUse.WithLeave, new CommandDefinition(name, CommandAccess.Everybody, s_nothing).OnSecondary);
        }

        foreach (var name in (ReadOnlySpan<string>)["hello", "ping", "getMore", "killCursors", "saslStart", "serverStatus", "replSetGetStatus", "endSessions"])
        {
            Assert.Equal(SecondaryUse.Always, new CommandDefinition(name, CommandAccess.Everybody, s_nothing).OnSecondary);
        }
    }

    [Fact]
    public void A_collection_that_is_not_there_is_found_in_any_depth_of_a_pipeline_and_never_in_data()
    {
        var random = new Random(7);
        var found = 0;
        for (var i = 0; i < 5_000; i++)
        {
            var (stages, hasOne) = NextPipeline(random, depth: 0);
            var command = new BsonDocument { { "aggregate", "c" }, { "pipeline", stages }, { "cursor", new BsonDocument() }, { "$db", "d" } };
            var refused = Record.Exception(
                () => SystemNamespaces.Check(Parse(command), new CommandDefinition("aggregate", CommandAccess.Everybody, s_nothing)));
            Assert.True(hasOne == refused is CommandException { Code: ErrorCode.CommandNotSupported }, command.ToJson());
            found += hasOne ? 1 : 0;
        }

        Assert.InRange(found, 500, 4_500);
    }

    [Theory]
    [InlineData("d", "system.buckets.x", true)]
    [InlineData("d", "system.views", true)]
    [InlineData("d", "system.profile", false)]
    [InlineData("d", "systems", false)]
    [InlineData("admin", "system.users", true)]
    [InlineData("local", "oplog.rs", true)]
    [InlineData("local", "mine", false)]
    [InlineData("config", "transactions", true)]
    [InlineData("config", "settings", false)]
    [InlineData("d", "oplog.rs", false)]
    public void Collections_that_only_a_server_has_are_refused_to_readers(string database, string collection, bool isRefused)
    {
        foreach (var name in (ReadOnlySpan<string>)["find", "count", "distinct", "aggregate", "listIndexes", "collStats"])
        {
            var request = Parse(new BsonDocument { { name, collection }, { "$db", database } });
            var refused = Record.Exception(() => SystemNamespaces.Check(request, new CommandDefinition(name, CommandAccess.Everybody, s_nothing)));
            Assert.Equal(isRefused, refused is CommandException);
        }
    }

    private static (WriteConcern? Concern, ErrorCode Code) Outcome(BsonDocument concern, int members)
    {
        new RawDocument(new BsonDocument("writeConcern", concern).ToBson()).TryGet("writeConcern"u8, out var element);
        try
        {
            var read = WriteConcern.Read(element, members);
            return (read, read.Unmet is null ? ErrorCode.OK
                : (ErrorCode)new RawDocument(read.AddUnmet(Reply.Ok)).ToTree()["writeConcernError"]["code"].AsInt32);
        }
        catch (CommandException e)
        {
            return (null, e.Code);
        }
    }

    private static (BsonDocument Concern, ErrorCode Expected) NextConcern(Random random, int members)
    {
        var concern = new BsonDocument();
        var (isMalformed, unmet) = (false, ErrorCode.OK);
        if (random.Next(8) > 0)
        {
            (BsonValue w, bool malformed, ErrorCode code) = random.Next(9) switch
            {
                0 => ((BsonValue)random.Next(0, members + 1), false, ErrorCode.OK),
                1 => (random.Next(members + 1, 51), false, ErrorCode.UnsatisfiableWriteConcern),
                2 => ((double)random.Next(members + 1, 51), false, ErrorCode.UnsatisfiableWriteConcern),
                3 => ((long)random.Next(51, int.MaxValue), true, ErrorCode.OK),
                4 => (-random.Next(1, 100), true, ErrorCode.OK),
                5 => ("majority", false, ErrorCode.OK),
                6 => ("mode" + random.Next(9), false, ErrorCode.UnknownReplWriteConcern),
                7 => (new BsonDocument("dc", random.Next(1, 3)), false, ErrorCode.UnsatisfiableWriteConcern),
                _ => (random.Next(2) == 0 ? BsonBoolean.True : new BsonArray { 1 }, true, ErrorCode.OK),
            };
            concern["w"] = w;
            isMalformed |= malformed;
            unmet = code;
        }

        if (random.Next(3) == 0)
        {
            var isFlag = random.Next(4) > 0;
            concern["j"] = isFlag ? random.Next(2) == 0 : "yes";
            isMalformed |= !isFlag;
        }

        if (random.Next(3) == 0)
        {
            var limit = random.Next(-100, 1000);
            concern["wtimeout"] = limit;
            isMalformed |= limit < 0;
        }

        if (random.Next(10) == 0)
        {
            concern["other"] = 1;
            isMalformed = true;
        }

        return (concern, isMalformed ? ErrorCode.FailedToParse : unmet);
    }

    private static (BsonArray Stages, bool HasOne) NextPipeline(Random random, int depth)
    {
        var stages = new BsonArray();
        var hasOne = false;
        for (var i = random.Next(4); i > 0; i--)
        {
            var name = random.Next(6) == 0 ? "system.buckets.x" : "other";
            var deeper = depth < 4 && random.Next(2) == 0;
            switch (random.Next(5))
            {
                case 0:
                    stages.Add(new BsonDocument(
                        "$match", new BsonDocument { { "from", "system.buckets.x" }, { "t", new BsonDocument("$unionWith", "system.views") } }));
                    break;
                case 1:
                    stages.Add(new BsonDocument("$unionWith", name));
                    hasOne |= name != "other";
                    break;
                case 2:
                    stages.Add(new BsonDocument("$graphLookup", new BsonDocument { { "startWith", "$system.x" }, { "from", name }, { "as", "system.y" } }));
                    hasOne |= name != "other";
                    break;
                case 3:
                    var (inner, innerHas) = deeper ? NextPipeline(random, depth + 1) : ([], false);
                    stages.Add(new BsonDocument("$lookup", new BsonDocument { { "from", name }, { "pipeline", inner }, { "as", "system.z" } }));
                    hasOne |= name != "other" || innerHas;
                    break;
                default:
                    var (facet, facetHas) = deeper ? NextPipeline(random, depth + 1) : ([], false);
                    stages.Add(new BsonDocument("$facet", new BsonDocument { { "a", new BsonArray() }, { "b", facet } }));
                    hasOne |= facetHas;
                    break;
            }
        }

        return (stages, hasOne);
    }

    private static Request Parse(BsonDocument command)
    {
        byte[] message = [.. new byte[16], .. new byte[4], 0, .. command.ToBson()];
        return Request.Parse(new MessageHeader(message.Length, 1, 0, OpCode.Msg), message);
    }
}
