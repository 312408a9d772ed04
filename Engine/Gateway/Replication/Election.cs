using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using Platform.Gateway.Postgres;
using Platform.Gateway.Settings;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Replication;

/// <summary>
/// Elections, as in Raft and MongoDB: who sees no primary asks first whether the others would vote for it, which costs nobody anything, and
/// then for their votes in a new term. A member gives one vote in a term, to who has at least as much as it has itself.
/// </summary>
internal sealed partial class Election(
    MemberLife life, Heartbeats heartbeats, IMemberMessages messages, ReplicaSet replicaSet, MemberState state, IOptions<GatewayOptions> options,
    ILogger<Election> logger) : IMessageHandler
{
    private const string Request = "replSetRequestVotes";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);

    /// <inheritdoc />
    public string Name => Request;

    /// <summary>
    /// Holds one: when a majority votes for this member, it is primary when this returns. Returns false when it is not.
    /// </summary>
    public async Task<bool> HoldAsync(CancellationToken cancellationToken)
    {
        var own = heartbeats.Own;
        var supporters = await AskAsync(life.Record.Term + 1, new Position(own.LastTerm, own.Received), isDry: true, cancellationToken);
        if (supporters.Granted + 1 < replicaSet.Majority)
        {
            LogNoSupport(supporters.Reasons);
            return false;
        }

        if (await life.StandAsync(cancellationToken) is not { } candidacy)
        {
            return false;
        }

        LogStands(candidacy.Term, candidacy.Position);
        var votes = await AskAsync(candidacy.Term, candidacy.Position, isDry: false, cancellationToken);
        if (votes.Granted + 1 < replicaSet.Majority)
        {
            LogNotElected(candidacy.Term, votes.Reasons);
            return false;
        }

        await life.LeadAsync(candidacy.Term, cancellationToken);
        return life.Leads;
    }

    /// <inheritdoc />
    public async ValueTask<BsonDocument> AnswerAsync(BsonDocument message, CancellationToken cancellationToken)
    {
        var (term, candidate) = (message["term"].AsInt64, message["candidate"].AsInt32);
        var position = new Position(message["lastTerm"].AsInt64, new Lsn((ulong)message["end"].AsInt64));
        var ballot = Obstacle(candidate, term) is { } obstacle
            ? new Ballot(false, obstacle, life.Record.Term, default)
            : message["dryRun"].AsBoolean
                ? life.HasJustVoted ? new Ballot(false, "it has just voted for another member", life.Record.Term, default) : Estimate(position)
                : await VoteAsync(candidate, term, position, cancellationToken);
        return new BsonDocument
        {
            { "ok", 1 }, { "voteGranted", ballot.Granted }, { "reason", ballot.Reason }, { "term", ballot.Term },
        };
    }

    private async Task<Ballot> VoteAsync(int candidate, long term, Position position, CancellationToken cancellationToken)
    {
        try
        {
            var ballot = await life.VoteAsync(candidate, term, position, cancellationToken);
            LogVoted(ballot.Granted ? "gives" : "does not give", candidate, term, ballot.Reason);
            return ballot;
        }
        catch (Exception e) when (e is IOException or SocketException or TimeoutException or PostgresException)
        {
            // How much this member has cannot be told now, so that it could not judge.
            return new Ballot(false, e.Message, life.Record.Term, default);
        }
    }

    /// <summary>What keeps this member from voting at all; null for nothing.</summary>
    private string? Obstacle(int candidate, long term) =>
        life.Leads ? "this member is primary"
        : heartbeats.Leader is { } leader && leader.Number != candidate ? $"{leader.Host} is primary"
        : !life.Record.MayVote(term, candidate) ? $"its vote in term {life.Record.Term} is given"
        : state.IsStopping ? "this member stops"
        : null;

    /// <summary>What the vote would be as things look.</summary>
    private Ballot Estimate(Position position)
    {
        var own = life.HasData ? new Position(heartbeats.Own.LastTerm, heartbeats.Own.Received) : life.Record.Owed;
        // What is received changes all the time; who is a little behind may be ahead when it is looked at closely.
        return position.Term >= own.Term
            ? new Ballot(true, "", life.Record.Term, own)
            : new Ballot(false, $"it has {position}, this member {own}", life.Record.Term, own);
    }

    /// <summary>Asks all others at the same time, and waits no longer than until a majority has agreed.</summary>
    private async Task<(int Granted, string Reasons)> AskAsync(long term, Position position, bool isDry, CancellationToken cancellationToken)
    {
        var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ended.CancelAfter(isDry ? options.Value.ElectionTimeout / 3 : s_patience);
        var message = new BsonDocument
        {
            { Request, 1 }, { "term", term }, { "candidate", replicaSet.Self.Number }, { "lastTerm", position.Term },
            { "end", (long)position.End.Value }, { "dryRun", isDry },
        };
        var granted = 0;
        var reasons = new List<string>();
        var latest = 0L;
        Task<Ballot>[] asked = [.. replicaSet.Others.Select(m => AskOneAsync(m, message, ended.Token))];
        // Those that are not waited for end by themselves.
        _ = Task.WhenAll(asked).ContinueWith(_ => ended.Dispose(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await foreach (var answer in Task.WhenEach(asked).WithCancellation(cancellationToken))
        {
            var ballot = await answer;
            granted += ballot.Granted ? 1 : 0;
            latest = Math.Max(latest, ballot.Term);
            if (!ballot.Granted)
            {
                reasons.Add(ballot.Reason);
            }

            if (granted + 1 >= replicaSet.Majority)
            {
                break;
            }
        }

        if (!isDry && latest > term)
        {
            life.Learn(latest);
        }

        return (granted, string.Join("; ", reasons));
    }

    private async Task<Ballot> AskOneAsync(Member member, BsonDocument message, CancellationToken cancellationToken)
    {
        try
        {
            var started = Stopwatch.GetTimestamp();
            var answer = await messages.AskAsync(member, message, cancellationToken);
            LogAnswer(member.Host, answer["voteGranted"].AsBoolean, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            return new Ballot(
                answer["voteGranted"].AsBoolean, $"{member.Host} says that {answer["reason"].AsString}", answer["term"].AsInt64, default);
        }
        catch (MemberUnreachableException e)
        {
            return new Ballot(false, e.Message, 0, default);
        }
        catch (OperationCanceledException)
        {
            return new Ballot(false, $"{member.Host} did not answer in time", 0, default);
        }
    }

    [LoggerMessage(LogLevel.Information, "This member stands for election in term {Term} with {Position}")]
    private partial void LogStands(long term, Position position);

    [LoggerMessage(LogLevel.Information, "This member would not be elected: {Reasons}")]
    private partial void LogNoSupport(string reasons);

    [LoggerMessage(LogLevel.Information, "This member was not elected in term {Term}: {Reasons}")]
    private partial void LogNotElected(long term, string reasons);

    [LoggerMessage(LogLevel.Information, "This member {Gives} its vote to member {Candidate} in term {Term} {Reason}")]
    private partial void LogVoted(string gives, int candidate, long term, string reason);

    [LoggerMessage(LogLevel.Debug, "{Host} voted {Granted} after {Milliseconds:0.0} ms")]
    private partial void LogAnswer(string host, bool granted, double milliseconds);
}
