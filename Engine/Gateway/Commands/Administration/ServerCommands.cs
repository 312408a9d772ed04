using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Authorization;
using Platform.Gateway.Backend;
using Platform.Gateway.Cursors;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Gateway.Sessions;
using Platform.Gateway.Settings;
using Platform.Gateway.Telemetry;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;
using Platform.Wire.Messages;
using Platform.Wire.Scram;

namespace Platform.Gateway.Commands.Administration;

/// <summary>What the server says about itself, and running operations.</summary>
internal sealed class ServerCommands(
    IServiceProvider services,
    IOptions<GatewayOptions> options,
    GatewayMetrics metrics,
    CursorStore cursors,
    SessionStore sessions,
    BackendPool pool,
    RecentLog log,
    ReplicaSet replicaSet,
    ReplicaSetStatus status,
    TimeProvider time) : ICommandFamily
{
    private static readonly Dictionary<string, BsonValue> s_parameters = new(StringComparer.Ordinal)
    {
        ["featureCompatibilityVersion"] = new BsonDocument("version", "7.0"),
        ["authenticationMechanisms"] = new BsonArray { ScramClient.Mechanism },
        ["maxBSONDepth"] = RawDocument.MaxDepth,
    };

    private static readonly string[] s_noConditions =
    [
        "$db", "$all", "$ownOps", "lsid", "comment", "maxTimeMS", "readConcern", "$readPreference", "$clusterTime", "apiVersion", "apiStrict",
        "apiDeprecationErrors", "$truncateOps",
    ];

    private readonly DateTimeOffset _started = time.GetUtcNow();

    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands =>
    [
        new("ping", CommandAccess.Everybody, static _ => ValueTask.FromResult(Reply.Ok), CommandTraits.BeforeLogin | CommandTraits.Quiet),
        new("buildInfo", CommandAccess.Everybody, BuildInfo, CommandTraits.BeforeLogin | CommandTraits.Quiet, "buildinfo"),
        new("whatsmyuri", CommandAccess.Everybody, c => Answer(new("you", c.Client.RemoteEndPoint)), CommandTraits.BeforeLogin | CommandTraits.Quiet),
        new("listCommands", CommandAccess.Everybody, ListCommands, CommandTraits.BeforeLogin),
        new("hostInfo", CommandAccess.Cluster(AccessAction.HostInfo), HostInfo),
        new("serverStatus", CommandAccess.Cluster(AccessAction.ServerStatus), ServerStatus, CommandTraits.Quiet),
        new("getParameter", CommandAccess.Cluster(AccessAction.GetParameter), GetParameter),
        new("getCmdLineOpts", CommandAccess.Cluster(AccessAction.GetCmdLineOpts), GetCommandLine),
        new("getLog", CommandAccess.Cluster(AccessAction.GetLog), GetLog),
        new("getDefaultRWConcern", CommandAccess.Cluster(AccessAction.GetDefaultRWConcern), c => Answer(new()
        {
            { "defaultReadConcern", new BsonDocument("level", "local") },
            { "defaultWriteConcern", new BsonDocument { { "w", "majority" }, { "wtimeout", 0 } } },
            { "localUpdateWallClockTime", new BsonDateTime(_started.UtcDateTime) },
        })),
        new("currentOp", StructureAccess.CurrentOp, CurrentOpAsync),
        new("connPoolStats", CommandAccess.Cluster(AccessAction.ConnPoolStats), ConnectionPools),
        new("killOp", CommandAccess.Cluster(AccessAction.Killop), c => AsGatewayAsync(c, Statements.KillOp)),
    ];

    private static ValueTask<ReadOnlyMemory<byte>> Answer(BsonDocument fields) => ValueTask.FromResult(Reply.With(fields));

    private static ValueTask<ReadOnlyMemory<byte>> BuildInfo(CommandContext context) => Answer(new BsonDocument
    {
        { "version", ServerVersion.Text },
        { "versionArray", new BsonArray(ServerVersion.Parts) },
        { "gitVersion", "unknown" },
        { "modules", new BsonArray() },
        { "sysInfo", "deprecated" },
        { "allocator", "system" },
        { "javascriptEngine", "none" },
        { "bits", 64 },
        { "debug", false },
        { "maxBsonObjectSize", WireLimits.MaxDocumentLength },
        { "storageEngines", new BsonArray { "documentdb" } },
        { "buildEnvironment", new BsonDocument { { "distarch", RuntimeInformation.OSArchitecture.ToString() }, { "target_os", "linux" } } },
        { "openssl", new BsonDocument() },
    });

    private ValueTask<ReadOnlyMemory<byte>> ListCommands(CommandContext context)
    {
        // Asked for here and not in the constructor: the table is made of this family, too.
        var table = services.GetRequiredService<CommandTable>();
        return Answer(new BsonDocument("commands", new BsonDocument(table.All.Select(c => new BsonElement(c.Name, new BsonDocument
        {
            { "requiresAuth", !c.Traits.HasFlag(CommandTraits.BeforeLogin) },
            { "secondaryOk", false },
            { "adminOnly", c.Access.IsOfCluster },
        })))));
    }

    private ValueTask<ReadOnlyMemory<byte>> HostInfo(CommandContext context) => Answer(new BsonDocument
    {
        {
            "system", new BsonDocument
            {
                { "currentTime", new BsonDateTime(time.GetUtcNow().UtcDateTime) },
                { "hostname", Environment.MachineName },
                { "cpuAddrSize", 64 },
                { "memSizeMB", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024 / 1024 },
                { "numCores", Environment.ProcessorCount },
                { "cpuArch", RuntimeInformation.OSArchitecture.ToString() },
                { "numaEnabled", false },
            }
        },
        {
            "os",
            new BsonDocument { { "type", "Linux" }, { "name", RuntimeInformation.OSDescription }, { "version", Environment.OSVersion.Version.ToString() } }
        },
        { "extra", new BsonDocument() },
    });

    private ValueTask<ReadOnlyMemory<byte>> ServerStatus(CommandContext context)
    {
        using var process = Process.GetCurrentProcess();
        var uptime = time.GetUtcNow() - _started;
        var operations = metrics.Operations;
        var network = metrics.Network;
        return Answer(new BsonDocument
        {
            { "host", replicaSet.Self.Host },
            { "version", ServerVersion.Text },
            { "process", "mongod" },
            { "pid", (long)Environment.ProcessId },
            { "uptime", uptime.TotalSeconds },
            { "uptimeMillis", (long)uptime.TotalMilliseconds },
            { "uptimeEstimate", (long)uptime.TotalSeconds },
            { "localTime", new BsonDateTime(time.GetUtcNow().UtcDateTime) },
            {
                "connections", new BsonDocument
                {
                    { "current", (int)metrics.ConnectionsOpen },
                    { "available", (int)Math.Max(0, options.Value.MaxConnections - metrics.ConnectionsOpen) },
                    { "totalCreated", metrics.ConnectionsCreated },
                }
            },
            { "network", new BsonDocument { { "bytesIn", network.Received }, { "bytesOut", network.Sent }, { "numRequests", network.Requests } } },
            {
                "opcounters", new BsonDocument
                {
                    { "insert", operations.Insert }, { "query", operations.Query }, { "update", operations.Update },
                    { "delete", operations.Delete }, { "getmore", operations.GetMore }, { "command", operations.Command },
                }
            },
            { "mem", new BsonDocument
            {
                { "bits", 64 },
                { "resident", (int)(process.WorkingSet64 / 1024 / 1024) },
                { "virtual", (int)(process.VirtualMemorySize64 / 1024 / 1024) },
                { "supported", true },
            } },
            { "runtime", new BsonDocument
            {
                { "allocatedBytes", GC.GetTotalAllocatedBytes() },
                { "heapBytes", GC.GetTotalMemory(forceFullCollection: false) },
                { "collections", GC.CollectionCount(0) },
            } },
            {
                "metrics", new BsonDocument
                {
                    { "commands", new BsonDocument(
                        metrics.Commands.Select(c => new BsonElement(c.Name, new BsonDocument { { "failed", c.Failed }, { "total", c.Total } }))) },
                    { "cursor", new BsonDocument("open", new BsonDocument("total", (long)cursors.Count)) },
                }
            },
            {
                "transactions", new BsonDocument
                {
                    { "currentOpen", (long)sessions.OpenTransactions }, { "totalStarted", sessions.TransactionsStarted },
                    { "totalCommitted", sessions.TransactionsCommitted }, { "totalAborted", sessions.TransactionsAborted },
                }
            },
            {
                "asserts",
                new BsonDocument { { "regular", 0 }, { "warning", 0 }, { "msg", 0 }, { "user", (int)metrics.Commands.Sum(c => c.Failed) }, { "rollovers", 0 } }
            },
            { "extra_info", new BsonDocument { { "note", "fields vary by platform" }, { "threads", process.Threads.Count } } },
            { "logicalSessionRecordCache", new BsonDocument("activeSessionsCount", sessions.Count) },
            { "repl", status.Section() },
            { "storageEngine", new BsonDocument { { "name", "documentdb" }, { "persistent", true }, { "readOnly", false } } },
        });
    }

    private static ValueTask<ReadOnlyMemory<byte>> GetParameter(CommandContext context)
    {
        var all = context.Request.Command.Text == "*";
        var reply = new BsonDocument();
        foreach (var (name, value) in s_parameters)
        {
            if (all || context.Request.TryGet(System.Text.Encoding.UTF8.GetBytes(name), out _))
            {
                reply.Add(name, value);
            }
        }

        return reply.ElementCount > 0 ? Answer(reply) : throw new CommandException(ErrorCode.InvalidOptions, "no option found to get");
    }

    private ValueTask<ReadOnlyMemory<byte>> GetCommandLine(CommandContext context) => Answer(new BsonDocument
    {
        { "argv", new BsonArray { "Platform.Gateway" } },
        {
            "parsed", new BsonDocument
            {
                { "net", new BsonDocument { { "bindIp", options.Value.BindAddress }, { "port", options.Value.Port } } },
                { "replication", new BsonDocument("replSet", replicaSet.Name) },
                { "security", new BsonDocument("authorization", "enabled") },
            }
        },
    });

    private ValueTask<ReadOnlyMemory<byte>> GetLog(CommandContext context)
    {
        switch (context.Request.Target)
        {
            case "*":
                return Answer(new BsonDocument("names", new BsonArray { "global", "startupWarnings" }));
            case "global":
                var (lines, written) = log.Read();
                return Answer(new BsonDocument { { "totalLinesWritten", written }, { "log", new BsonArray(lines) } });
            case "startupWarnings":
                return Answer(new BsonDocument { { "totalLinesWritten", 0 }, { "log", new BsonArray() } });
            case var name:
                throw new CommandException(ErrorCode.BadValue, $"No log named '{name}'");
        }
    }

    /// <summary>The connections to the backend, which are the only ones that the gateway opens.</summary>
    private ValueTask<ReadOnlyMemory<byte>> ConnectionPools(CommandContext context)
    {
        var inUse = pool.InUse;
        var counts = new BsonDocument { { "inUse", inUse }, { "available", Math.Max(0, options.Value.MaxEngineConnections - inUse) } };
        return Answer(new BsonDocument
        {
            { "numClientConnections", (int)metrics.ConnectionsOpen },
            { "numAScopedConnections", 0 },
            { "totalInUse", inUse },
            { "totalAvailable", counts["available"] },
            { "pools", new BsonDocument("engine", counts) },
            { "hosts", new BsonDocument() },
        });
    }

    /// <summary>
    /// What PostgreSQL is doing. Processes of its own and connections that do nothing are left out unless asked for by <c>$all</c>;
    /// other fields of the command are conditions on the entries.
    /// </summary>
    private static async ValueTask<ReadOnlyMemory<byte>> CurrentOpAsync(CommandContext context)
    {
        var command = context.ToTree();
        bool Asks(string option) => command.TryGetValue(option, out var asked) && asked.ToBoolean();
        var entries = await CurrentOperations.ListAsync(context, Asks("$all"), Asks("$ownOps"));
        var conditions = new BsonDocument(command.Skip(1).Where(f => !s_noConditions.Contains(f.Name)));
        if (conditions.ElementCount > 0)
        {
            await using var lease = await context.RentAsGatewayAsync();
            var match = new BsonDocument
            {
                { "aggregate", 1 },
                { "pipeline", new BsonArray(CurrentOperations.Stages(entries).Append(new BsonDocument("$match", conditions))) },
                { "cursor", new BsonDocument("batchSize", int.MaxValue) },
            };
            var page = new RawDocument(await lease.Connection.Command(Statements.Aggregate)
                .With(0, "admin").With<ReadOnlyMemory<byte>>(1, match.ToBson()).SingleAsync<byte[]>(context.CancellationToken)).ToTree();
            entries = [.. page["cursor"]["firstBatch"].AsBsonArray.Cast<BsonDocument>()];
        }

        return Reply.With(new BsonDocument("inprog", new BsonArray(entries)));
    }

    private static async ValueTask<ReadOnlyMemory<byte>> AsGatewayAsync(CommandContext context, Statement statement)
    {
        await using var lease = await context.RentAsGatewayAsync();
        return Reply.FromBackend(await lease.Connection.Command(statement)
            .With(0, context.Request.Body.Bytes)
            .SingleAsync<byte[]>(context.CancellationToken));
    }
}
