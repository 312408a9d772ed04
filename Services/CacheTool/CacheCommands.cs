using System.CommandLine;
using System.Globalization;
using System.Text;
using Platform.Caching.Administration;
using Platform.Caching.Catalogue;
using Platform.Caching.Servers;
using Platform.Jobs;
using StackExchange.Redis;

namespace Platform.CacheTool;

/// <summary>The command line of the cache.</summary>
internal static class CacheCommands
{
    private const string Name = "cache";
    private const string ConnectionVariable = "ConnectionStrings__cache";
    private const int CountedKeys = 100_000;

    private static readonly string[] s_tags =
        [.. CacheCatalogue.All.Where(cache => cache.Tag is not null).Select(cache => $"{cache.Tag} of {cache.Kind}")];

    public static Command Create()
    {
        var root = JobCommandLine.Create(Name, $"""
            Looks into the cache in Redis, and lets the services forget what is in it. On a cluster, all masters.

            Exit codes: 0 done, 2 not there, 64 wrong command line, 69 no Redis, 78 wrong setting.
            Settings: {ConnectionVariable}, of a user who may do everything; {SettingNames.CacheTlsCaFile}, the authorities to trust.
            """);
        root.Subcommands.Add(Status());
        root.Subcommands.Add(Keys());
        root.Subcommands.Add(Get());
        root.Subcommands.Add(Invalidate());
        root.Subcommands.Add(Flush());
        root.Subcommands.Add(Warm());
        return root;
    }

    private static Command Status()
    {
        var command = new Command("status", "Memory, evictions, persistence and the number of entries of each kind.") { JobCommandLine.Json };
        command.SetAction((parsed, token) => RunAsync(async cache =>
        {
            var status = await cache.StatusAsync(CountedKeys, token);
            return JobReport.Print(status, parsed.GetValue(JobCommandLine.Json), Print, isGood: true);
        }));
        return command;
    }

    private static Command Keys()
    {
        var tenant = Tenant();
        var kind = Kind();
        var limit = new Option<int>("--limit") { Description = "How many names are printed at most.", DefaultValueFactory = _ => 100 };
        var command = new Command("keys", "The names of entries.") { tenant, kind, limit };
        command.SetAction((parsed, token) => RunAsync(async cache =>
        {
            var left = parsed.GetValue(limit);
            await foreach (var key in cache.KeysAsync(parsed.GetValue(tenant), Definition(parsed.GetValue(kind)), token))
            {
                if (left-- <= 0)
                {
                    await Console.Error.WriteLineAsync("There are more: --limit shows them.");
                    break;
                }

                await Console.Out.WriteLineAsync(key.Text);
            }

            return ExitCodes.Success;
        }));
        return command;
    }

    private static Command Get()
    {
        var key = new Argument<string>("KEY") { Description = "The name of an entry, as keys prints it." };
        var command = new Command("get", "What an entry has.") { key };
        command.SetAction((parsed, _) => RunAsync(async cache =>
        {
            var name = parsed.GetValue(key)!;
            if (await cache.GetAsync(name) is not { } entry)
            {
                await Console.Error.WriteLineAsync($"{Name}: there is no entry {name}.");
                return ExitCodes.Refused;
            }

            await Console.Error.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"read at {entry.ReadAt:O}, fresh until {entry.FreshUntil:O}, kept for {entry.Life:c}, ETag {entry.ETag}, {entry.Content.Length} bytes"));
            await Console.Out.WriteLineAsync(Encoding.UTF8.GetString(entry.Content.Span));
            return ExitCodes.Success;
        }));
        return command;
    }

    private static Command Invalidate()
    {
        var tenant = Tenant();
        var kind = Kind();
        var tag = new Option<string>("--tag")
        {
            Description = $"The value of a kind's tag, with --tenant and --kind: {string.Join(", ", s_tags)}.",
        };
        var key = new Option<string>("--key") { Description = "The name of an entry." };
        var command = new Command("invalidate", "Lets every process forget entries: of a tenant, a kind, both, a tag, or one.") { tenant, kind, tag, key };
        command.Validators.Add(result =>
        {
            var (ofTenant, ofKind, ofTag, one) = (result.GetValue(tenant), result.GetValue(kind), result.GetValue(tag), result.GetValue(key));
            if (one is not null ? ofTenant is not null || ofKind is not null || ofTag is not null : ofTenant is null && ofKind is null)
            {
                result.AddError("invalidate needs --tenant, --kind or both, or --key alone.");
            }
            else if (ofTag is not null && (ofTenant is null || Definition(ofKind)?.Tag is null))
            {
                result.AddError("--tag needs --tenant, and a --kind that has a tag.");
            }
        });
        command.SetAction((parsed, _) => RunAsync(async cache =>
        {
            var (ofTenant, ofTag) = (parsed.GetValue(tenant), parsed.GetValue(tag));
            var name = (parsed.GetValue(key), Definition(parsed.GetValue(kind))) switch
            {
                ({ } one, _) => one,
                (_, { } definition) when ofTag is not null => CacheKeys.OfTag(ofTenant!, definition, ofTag),
                (_, { } definition) => ofTenant is null ? CacheKeys.OfKind(definition) : CacheKeys.OfTenant(ofTenant, definition),
                _ => CacheKeys.OfTenant(ofTenant!),
            };
            await cache.InvalidateAsync([name]);
            await Console.Out.WriteLineAsync($"{name} is forgotten.");
            return ExitCodes.Success;
        }));
        return command.Audited("cacheInvalidate");
    }

    private static Command Flush()
    {
        var command = new Command("flush", "Removes every key; the services fill the cache again, first what is to be warm.");
        command.SetAction((_, _) => RunAsync(async cache =>
        {
            var keys = await cache.FlushAsync();
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{keys} keys were removed."));
            return ExitCodes.Success;
        }));
        return command.Audited("cacheFlush");
    }

    private static Command Warm()
    {
        var command = new Command("warm", "Lets the services load what is to be warm; their logs tell how far they are.");
        command.SetAction((_, _) => RunAsync(async cache =>
        {
            var told = await cache.WarmAsync();
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{told} {(told == 1 ? "process was" : "processes were")} told."));
            return told > 0 ? ExitCodes.Success : ExitCodes.Refused;
        }));
        return command;
    }

    private static Option<string> Tenant()
    {
        var tenant = new Option<string>("--tenant") { Description = "A tenant's id, of 24 hexadecimal digits." };
        // A slug would name nothing, and nobody would be told.
        tenant.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } id && !(id.Length == 24 && id.All(char.IsAsciiHexDigitLower)))
            {
                result.AddError($"'{id}' is no tenant's id, which has 24 hexadecimal digits in lower case; the API lists the tenants with theirs.");
            }
        });
        return tenant;
    }

    private static Option<string> Kind()
    {
        var kind = new Option<string>("--kind") { Description = "A kind of data." };
        kind.AcceptOnlyFromAmong([.. CacheCatalogue.All.Select(cache => cache.Kind)]);
        return kind;
    }

    private static CacheDefinition? Definition(string? kind) => kind is null ? null : CacheCatalogue.Find(kind);

    private static async Task<int> RunAsync(Func<CacheAdministration, Task<int>> work)
    {
        if (Environment.GetEnvironmentVariable(ConnectionVariable) is not { Length: > 0 } connectionString)
        {
            await Console.Error.WriteLineAsync($"{Name}: {ConnectionVariable} is not set.");
            return ExitCodes.Configuration;
        }

        try
        {
            var options = ConfigurationOptions.Parse(RedisAddress.ConnectionStringOf(connectionString));
            // FLUSHDB, INFO of all sections.
            (options.AllowAdmin, options.ClientName, options.ConnectTimeout) = (true, "platform-cache", 3000);
            options.Trust(Environment.GetEnvironmentVariable(SettingNames.CacheTlsCaFile));
            await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
            return await work(new CacheAdministration(connection));
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ArgumentException or InvalidDataException)
        {
            await Console.Error.WriteLineAsync($"{Name}: {exception.Message.ReplaceLineEndings(" ")}");
            return exception is InvalidDataException ? ExitCodes.Configuration : exception is ArgumentException ? ExitCodes.Usage : ExitCodes.Unavailable;
        }
    }

    private static void Print(TextWriter text, CacheStatus status)
    {
        foreach (var node in status.Nodes)
        {
            text.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{node.Address}: {node.UsedBytes / 1048576.0:0.0} of {node.MaxBytes / 1048576.0:0} MiB ({node.Policy}), "
                    + $"fragmentation {node.Fragmentation:0.00}, {node.Evicted} evicted, {node.Expired} expired, "
                    + $"{node.Hits} hits, {node.Misses} misses, {node.Replicas} replicas, "
                    + $"log {(node.IsLogWritten ? "written" : "NOT WRITTEN")}, snapshot {(node.IsSnapshotGood ? "good" : "FAILED")}"));
        }

        foreach (var (kind, count) in status.Entries)
        {
            text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind,-16}{count,10}{(status.IsPartial ? " or more" : "")}"));
        }
    }
}
