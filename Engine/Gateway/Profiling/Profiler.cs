using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Requests;
using Platform.Gateway.Settings;
using Platform.Wire.Bson;

namespace Platform.Gateway.Profiling;

/// <summary>
/// Decides which commands are slow, logs their shape and hands them on to <c>system.profile</c>
/// (https://www.mongodb.com/docs/v7.0/reference/command/profile/). As in the server, levels are set per database and forgotten at a
/// restart, and the limit for slow ones holds for all.
/// </summary>
internal sealed partial class Profiler
{
    private const int QueueLength = 1_000;
    private const int LargestCommand = 16 * 1024;
    private const int LargestShape = 4_096;

    private readonly ConcurrentDictionary<string, int> _levels = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;
    private readonly ILogger<Profiler> _logger;
    private readonly Channel<ProfileEntry> _entries = Channel.CreateBounded<ProfileEntry>(
        new BoundedChannelOptions(QueueLength) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private long _slowTicks;

    /// <summary>Starts with the profiler off everywhere and the configured limit for slow commands.</summary>
    public Profiler(IOptions<GatewayOptions> options, TimeProvider time, ILogger<Profiler> logger)
    {
        _time = time;
        _logger = logger;
        SlowAfter = options.Value.SlowCommand;
    }

    /// <summary>From which duration on a command is slow.</summary>
    public TimeSpan SlowAfter
    {
        get => new(Volatile.Read(ref _slowTicks));
        set => Volatile.Write(ref _slowTicks, value.Ticks);
    }

    /// <summary>Which part of the slow commands is kept, from 0 to 1.</summary>
    public double SampleRate { get; set; } = 1;

    /// <summary>The entries that wait to be stored.</summary>
    public ChannelReader<ProfileEntry> Entries => _entries.Reader;

    /// <summary>The level of a database: 0 nothing is kept, 1 slow commands, 2 all.</summary>
    public int Level(string database) => _levels.GetValueOrDefault(database);

    /// <summary>Sets the level of a database.</summary>
    public void SetLevel(string database, int level)
    {
        if (level == 0)
        {
            _levels.TryRemove(database, out _);
        }
        else
        {
            _levels[database] = level;
        }
    }

    /// <summary>Whether a command is to be recorded; cheap, because it is asked for every command.</summary>
    public bool Concerns(string database, TimeSpan elapsed) =>
        elapsed.Ticks >= Volatile.Read(ref _slowTicks) || (!_levels.IsEmpty && Level(database) == 2);

    /// <summary>Records a command that ended; its bytes are read here, as they are gone afterwards.</summary>
    public void Record(in FinishedCommand finished)
    {
        try
        {
            Keep(finished);
        }
        catch (Exception e)
        {
            // The command took effect and its reply is on its way; what cannot be recorded must not take that away.
            LogUnrecorded(e, finished.Name);
        }
    }

    private void Keep(in FinishedCommand finished)
    {
        var (client, request, name, isSecret, elapsed, reply, error) = finished;
        if (SystemProfile.IsTarget(request.Command) || request.Name == "profile")
        {
            return;
        }

        var slow = elapsed >= SlowAfter;
        var level = Level(request.Database);
        var kept = level == 2 || (level == 1 && slow && Sampled());
        if (!slow && !kept)
        {
            return;
        }

        var whole = request.Body.Bytes.Length <= LargestCommand;
        var command = whole
            ? request.Body.ToTree()
            : new BsonDocument { { request.Name, request.Target ?? "" }, { "$truncated", request.Body.Bytes.Length }, { "$db", request.Database } };
        if (isSecret)
        {
            command = new BsonDocument { { request.Name, "" }, { "$db", request.Database } };
        }

        AddSequences(command, request);
        var collection = name == "getMore" && command.TryGetValue("collection", out var named) && named.IsString ? named.AsString : request.Target ?? "$cmd";
        var ns = $"{request.Database}.{collection}";
        var returned = Returned(reply, out var fields);
        if (slow)
        {
            LogSlow(
                name, Printable.Of(ns), (long)elapsed.TotalMilliseconds, returned, reply.Length, Printable.Of(CommandShape.Text(command), LargestShape));
        }

        if (!kept)
        {
            return;
        }

        var entry = new BsonDocument
        {
            { "op", Operation(name) },
            { "ns", ns },
            { "command", command },
        };
        if (returned >= 0)
        {
            entry.Add("nreturned", returned);
        }

        foreach (var field in fields)
        {
            entry.Add((name, field.Name) switch
            {
                ("insert", "n") => "ninserted",
                ("update", "n") => "nMatched",
                ("delete", "n") => "ndeleted",
                _ => field.Name,
            }, field.Value);
        }

        entry.Add("queryHash", CommandShape.Hash(command));
        entry.Add("responseLength", reply.Length);
        entry.Add("protocol", request.Legacy ? "op_query" : "op_msg");
        entry.Add("millis", (int)elapsed.TotalMilliseconds);
        entry.Add("durationMicros", (long)elapsed.TotalMicroseconds);
        if (error is not null)
        {
            entry.Add("ok", 0.0);
            entry.Add("errMsg", error.Message);
            entry.Add("errName", error.Code.ToString());
            entry.Add("errCode", (int)error.Code);
        }

        entry.Add("ts", new BsonDateTime(_time.GetUtcNow().UtcDateTime));
        entry.Add("client", client.RemoteEndPoint);
        if (client.Metadata is { } metadata && metadata.TryGetValue("application", out var application)
            && application is BsonDocument about && about.TryGetValue("name", out var applicationName))
        {
            entry.Add("appName", applicationName);
        }

        var user = client.User?.Name ?? "";
        entry.Add("allUsers", user.Length == 0 ? [] : new BsonArray { new BsonDocument { { "user", user }, { "db", "admin" } } });
        entry.Add("user", user);
        var explains = whole && error is null && name is "find" or "aggregate" or "count" or "distinct" or "update" or "delete" or "findAndModify"
            ? (BsonDocument)command.DeepClone()
            : null;
        _entries.Writer.TryWrite(new ProfileEntry(request.Database, entry, explains, client.User?.Name));
    }

    private static void AddSequences(BsonDocument command, Request request)
    {
        foreach (var sequence in request.Sequences)
        {
            // Inserted documents are data; of statements the first ones tell what was done.
            if (sequence.Name == "documents" || sequence.Documents.Length > LargestCommand)
            {
                command[sequence.Name] = sequence.Count;
                continue;
            }

            command[sequence.Name] = sequence.ToTree();
        }
    }

    /// <summary>How many documents the reply has, or -1; and the counts of a write.</summary>
    private static int Returned(ReadOnlyMemory<byte> reply, out BsonDocument fields)
    {
        fields = [];
        var returned = -1;
        foreach (var field in reply.IsEmpty ? new RawDocument(Reply.Ok) : new RawDocument(reply))
        {
            if (field.Is("cursor"u8) && field.Type == BsonType.Document)
            {
                foreach (var part in field.Document)
                {
                    if (part.Is("firstBatch"u8) || part.Is("nextBatch"u8))
                    {
                        returned = part.Document.Count();
                    }
                    else if (part.Is("id"u8) && part.Integer is { } id and not 0)
                    {
                        fields.Add("cursorid", id);
                    }
                }
            }
            else if ((field.Is("n"u8) || field.Is("nModified"u8)) && field.Integer is { } count)
            {
                fields.Add(field.NameText, (int)count);
            }
            else if (field.Is("values"u8) && field.Type == BsonType.Array)
            {
                returned = field.Document.Count();
            }
        }

        return returned;
    }

    private static string Operation(string command) => command switch
    {
        "find" => "query",
        "insert" or "update" => command,
        "delete" => "remove",
        "getMore" => "getmore",
        _ => "command",
    };

    private bool Sampled() => SampleRate >= 1 || Random.Shared.NextDouble() < SampleRate;

    [LoggerMessage(LogLevel.Warning, "{Command} ran, but the profiler could not record it")]
    private partial void LogUnrecorded(Exception exception, string command);

    [LoggerMessage(LogLevel.Warning, "Slow command {Command} on {Namespace}: {Milliseconds} ms, {Returned} returned, {Length} bytes, {Shape}")]
    private partial void LogSlow(string command, string @namespace, long milliseconds, int returned, int length, string shape);
}
