using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Data.Documents;
using Platform.Jobs.Progress;
using Platform.Seeder.Generation;
using Platform.Seeder.Storage;

namespace Platform.Seeder.Commands;

/// <summary><c>seeder run</c>: seeds what is not there already, so that what users changed in it stays.</summary>
internal sealed partial class RunCommand(
    SeedStore store, SeedGuard guard, SeedEncryption encryption, IOptions<SeederOptions> options, TimeProvider time, ILogger<RunCommand> logger)
{
    private readonly SeedCheck _check = new(store.Database, encryption);
    private readonly DeferredIndexes _indexes = new(store.Database, guard.RequireDevelopmentAsync);

    // The same for the program's own command and for `run`, so that they can stand before the word `run`, too.
    private static Option<string[]> Only { get; } = Collections();

    private static Option<bool> Again { get; } =
        new("--again") { Description = "Write the data anew even when it is there already; changes made to it are lost." };

    private static Option<bool> KeepIndexes { get; } = new("--keep-indexes")
    {
        Description = "Keep the index of words while its empty collection is filled, for searches meanwhile; else it is dropped, and built at the end, which "
            + "is faster.",
    };

    /// <summary>Completes the command, or the program's own, which is <c>run</c> when no command is named.</summary>
    public static Command Complete(Command command)
    {
        SizeOptions.AddTo(command);
        command.Options.Add(Only);
        command.Options.Add(Again);
        command.Options.Add(KeepIndexes);
        command.SetAction((result, cancellationToken) =>
        {
            var work = new SeedWork(
                SizeOptions.Read(result), SizeOptions.ReadUntil(result), result.GetValue(Only) ?? [], result.GetValue(Again), result.GetValue(KeepIndexes));
            return SeederJob.RunAsync<RunCommand>(
                (run, token) => run.RunAsync(work, JobProgress.Show("written", Console.Out), Console.Out, token), cancellationToken);
        });
        return command;
    }

    /// <summary>Seeds.</summary>
    /// <param name="work">What to seed.</param>
    /// <param name="progress">Shows the writing.</param>
    /// <param name="output">Where the result goes.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task RunAsync(SeedWork work, IJobProgress progress, TextWriter output, CancellationToken cancellationToken)
    {
        // Before anything is written, the lease included, and again when nobody else is at work any more.
        await _check.ReadCollectionsAsync(cancellationToken);
        await guard.RequireDevelopmentOrEmptyAsync(cancellationToken);
        await store.AloneAsync(
            output,
            async (fence, token) =>
            {
                if (await guard.MarkEmptyAsync(token))
                {
                    await output.WriteLineAsync($"The database '{store.Name}' is empty and is now marked as development.");
                }

                await guard.RequireDevelopmentAsync(token);
                await RunAloneAsync(work, fence, progress, output, token);
            },
            cancellationToken);
    }

    private async Task RunAloneAsync(SeedWork work, long fence, IJobProgress progress, TextWriter output, CancellationToken cancellationToken)
    {
        var before = await store.ReadMarkerAsync(cancellationToken);
        var size = SizeOf(work, before);
        var all = SeedCollection.All(size);
        var plan = await PlanAsync(work, size, all, before, cancellationToken);
        if (plan.Missing.Count == 0 && before is { Complete: true, DeferredIndexes.Count: 0, RemovedTenants.Count: 0 })
        {
            AlreadySeeded(logger, before.Hash);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"Already seeded: {before.Documents:N0} documents of the 90 days until {before.Until}, hash {before.Hash}."));
            await TellExpiredAsync(all, size, output);
            return;
        }

        // Whatever could stop the run stops it here, where nothing was removed yet.
        var started = time.GetTimestamp();
        var dangling = await _check.RequireAsync(plan.Missing, size, cancellationToken);
        var removes = await store.AnyAsync(plan.Stale, cancellationToken);
        var marker = new SeedMarker
        {
            DataVersion = SeedSize.DataVersion,
            Seed = size.Seed,
            Tenants = size.Tenants,
            Scale = size.Scale,
            Until = size.Until.ToString(SeedSize.DateFormat, CultureInfo.InvariantCulture),
            Complete = false,
            Removing = removes,
            Fence = fence,
            Parts = plan.Known,
            DeferredIndexes = before?.DeferredIndexes ?? [],
            StartedAt = time.GetUtcNow().UtcDateTime,
        };
        await store.WriteMarkerAsync(marker, cancellationToken);
        if (removes)
        {
            await new SeedCleaner(store.Database, options.Value.Writers, guard.RequireDevelopmentAsync)
                .CleanAsync(plan.Stale, tenant: null, keepReferenced: false, JobProgress.None, cancellationToken);
            marker = marker with { Removing = false };
            await store.WriteMarkerAsync(marker, cancellationToken);
        }

        marker = work.KeepIndexes ? marker : await DeferAsync(all, plan.Missing, marker, cancellationToken);
        (marker, var documents) = await WriteAsync(all, plan.Missing, marker, progress, cancellationToken);
        await _indexes.BuildAsync(all, marker.DeferredIndexes, output, cancellationToken);
        marker = marker with { Complete = true, DeferredIndexes = [], CompletedAt = time.GetUtcNow().UtcDateTime };
        await store.WriteMarkerAsync(marker, cancellationToken);
        await TellSeededAsync(marker, documents, time.GetElapsedTime(started), dangling, output);
        await TellExpiredAsync(all, size, output);
        if (plan.Missing.Any(part => part.Kind == SeedKind.User))
        {
            await TellPasswordsAsync(size, output);
        }
    }

    // Who names no day gets what is there, however old, so that changes made to it stay; and today's when all is written anyway.
    private SeedSize SizeOf(SeedWork work, SeedMarker? before)
    {
        var pinned = work.Until ?? (options.Value.Until is { } until ? SeedDay.Parse(until) : null);
        return work.Size with
        {
            Until = pinned is { } day ? day
                : before?.Size() is { } known && !(work.Again && work.Only.Count == 0) && known with { Until = work.Size.Until } == work.Size ? known.Until
                : DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime),
        };
    }

    private async Task TellExpiredAsync(IReadOnlyList<SeedCollection> all, SeedSize size, TextWriter output)
    {
        var expired = all.Where(part => !part.IsKept(size, time.GetUtcNow().UtcDateTime)).Select(part => part.Name).ToList();
        if (expired.Count > 0)
        {
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"The history ends on {size.Until:yyyy-MM-dd}, so long ago that its {string.Join(" and ", expired)} expire and are not written; "
                    + $"'seeder run --again' without a day writes a history that ends today."));
        }
    }

    // A marker alone proves little: documents may be gone since.
    private async Task<Plan> PlanAsync(
        SeedWork work, SeedSize size, IReadOnlyList<SeedCollection> all, SeedMarker? before, CancellationToken cancellationToken)
    {
        var wanted = work.Only.Count == 0 ? all : SeedCollection.WithReferenced(all, work.Only);
        var same = before?.Size() == size;
        List<SeedCollection> stale = [.. all.Where(part => !same || (work.Again && wanted.Contains(part)) || (before!.Removing && !IsKnown(part)))];
        List<SeedCollection> missing = [];
        // Tenants that were removed come back in all collections.
        foreach (var part in all.Where(part => wanted.Contains(part) || (before is { RemovedTenants.Count: > 0 } && IsKnown(part))))
        {
            if (!part.IsKept(size, time.GetUtcNow().UtcDateTime))
            {
                continue;
            }

            if (stale.Contains(part) || !IsKnown(part) || await store.CountAsync(part, cancellationToken) < part.Count)
            {
                missing.Add(part);
            }
        }

        return new Plan(stale, missing, same ? [.. before!.Parts.Where(part => stale.TrueForAll(other => other.Name != part.Collection))] : []);

        bool IsKnown(SeedCollection part) => same && before!.Parts.Any(known => known.Collection == part.Name);
    }

    private async Task<SeedMarker> DeferAsync(
        IReadOnlyList<SeedCollection> all, IReadOnlyList<SeedCollection> missing, SeedMarker marker, CancellationToken cancellationToken)
    {
        var deferred = await _indexes.FindAsync(missing, cancellationToken);
        if (deferred.Count == 0)
        {
            return marker;
        }

        marker = marker with { DeferredIndexes = [.. marker.DeferredIndexes.Union(deferred)] };
        await store.WriteMarkerAsync(marker, cancellationToken);
        await _indexes.DropAsync(all, deferred, cancellationToken);
        return marker;
    }

    private async Task<(SeedMarker Marker, long Documents)> WriteAsync(
        IReadOnlyList<SeedCollection> all, IReadOnlyList<SeedCollection> missing, SeedMarker marker, IJobProgress progress, CancellationToken cancellationToken)
    {
        var begun = new List<SeedCollection>();
        foreach (var part in missing)
        {
            if (await store.AnyAsync([part], cancellationToken))
            {
                begun.Add(part);
            }
        }

        long documents = 0;
        var writer = new SeedWriter(store.Database, SeedWriter.DefaultPieceSize, options.Value.Writers, guard.RequireDevelopmentAsync, encryption);
        await progress.RunAsync(async () => documents = await writer.WriteAsync(
            missing,
            begun,
            progress,
            async (part, token) =>
            {
                var parts = marker.Parts.Where(other => other.Collection != part.Collection).Append(part).ToList();
                marker = marker with { Parts = [.. all.SelectMany(known => parts.Where(other => other.Collection == known.Name))] };
                await store.WriteMarkerAsync(marker, token);
            },
            cancellationToken));
        return (marker, documents);
    }

    private async Task TellSeededAsync(SeedMarker marker, long documents, TimeSpan elapsed, IReadOnlyDictionary<string, long> dangling, TextWriter output)
    {
        Seeded(logger, documents, marker.Hash, elapsed.TotalMilliseconds);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"Seeded {documents:N0} documents in {elapsed.TotalSeconds:0.00} s ({documents / elapsed.TotalSeconds:N0}/s)."));
        await output.WriteLineAsync($"Hash {marker.Hash}");
        if (dangling.Count > 0)
        {
            await output.WriteLineAsync($"Documents of others refer to seeded ones that there are not with these settings ({SeedText.Of(dangling)}).");
        }
    }

    private static async Task TellPasswordsAsync(SeedSize size, TextWriter output)
    {
        await output.WriteLineAsync($"Users of {TenantProfile.For(0).Slug} and their passwords, which those of other tenants have too:");
        foreach (var role in Enum.GetValues<UserRole>())
        {
            var name = DocumentConventions.Stored(role).ToLowerInvariant() + "@" + TenantProfile.For(0).Slug + ".example";
            await output.WriteLineAsync($"  {name,-34} {DevelopmentPasswords.For(size.Seed, role)}");
        }

        await output.WriteLineAsync("They are for development and are not shown again; 'seeder run --again' writes everything anew and shows them.");
    }

    private static Option<string[]> Collections() => new("--only")
    {
        Description = $"Only these collections and those that they refer to: "
            + $"{string.Join(", ", SeedCollection.All(new SeedSize()).Select(part => part.Name))}. Separated by commas or spaces.",
        HelpName = "NAMES",
        AllowMultipleArgumentsPerToken = true,
        CustomParser = result =>
        {
            string[] names =
            [
                .. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Distinct(),
            ];
            var known = SeedCollection.All(new SeedSize()).Select(part => part.Name).ToList();
            if (names.Except(known).FirstOrDefault() is { } unknown)
            {
                result.AddError($"--only does not know '{unknown}'; there are {string.Join(", ", known)}.");
            }

            return names;
        },
    };

    [LoggerMessage(2, LogLevel.Information, "Seeded {Documents} documents with hash {Hash} in {DurationMs:0} ms")]
    private static partial void Seeded(ILogger logger, long documents, string hash, double durationMs);

    [LoggerMessage(3, LogLevel.Information, "The database is seeded already, hash {Hash}")]
    private static partial void AlreadySeeded(ILogger logger, string? hash);

    /// <summary>What a run is to do.</summary>
    /// <param name="Stale">Collections whose seeded documents are removed first.</param>
    /// <param name="Missing">Collections that are written, or lack documents.</param>
    /// <param name="Known">What is recorded of collections that were complete and stay.</param>
    private sealed record Plan(IReadOnlyList<SeedCollection> Stale, IReadOnlyList<SeedCollection> Missing, IReadOnlyList<SeedPart> Known);
}

/// <summary>What is asked of a run.</summary>
/// <param name="Size">What to seed, but for its end; when something else was seeded before, that is removed.</param>
/// <param name="Until">The day that the history ends with; null for the day of the settings, else that of what is there, else today.</param>
/// <param name="Only">Which collections, with those that they refer to; none for all.</param>
/// <param name="Again">Whether to write also what is there already.</param>
/// <param name="KeepIndexes">Whether to keep the costly indexes of empty collections, instead of building them at the end.</param>
internal sealed record SeedWork(SeedSize Size, DateOnly? Until, IReadOnlyCollection<string> Only, bool Again = false, bool KeepIndexes = false);
