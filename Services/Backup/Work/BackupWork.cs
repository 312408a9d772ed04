using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Repository;

namespace Platform.Backup.Work;

/// <summary>
/// All that is done to the repository, one process at a time. Each step says first what it is about to change, and takes its outcome into the list of
/// hashes last: killed anywhere, it is completed by the next one.
/// </summary>
internal sealed partial class BackupWork(IBackupEngine engine, IOptions<BackupOptions> options, TimeProvider time, ILogger<BackupWork> logger)
{
    private const long LeastFreeBytes = 64L * 1024 * 1024;

    private readonly BackupOptions _options = options.Value;

    /// <summary>Makes a backup and verifies it. What an agent before left unverified is verified, too.</summary>
    /// <returns>The new backup.</returns>
    /// <exception cref="BackupException">It was not made, or something is wrong with it.</exception>
    public async Task<BackupSet> RunAsync(CancellationToken cancellationToken)
    {
        using var taken = RepositoryLock.Take(_options.Directory);
        var list = await OpenAsync(cancellationToken);
        var before = await engine.BackupsAsync(cancellationToken);
        NeedSpace(before);
        UnfinishedWork.Adding.Begin(_options.Directory);
        await engine.PrepareAsync(cancellationToken);
        foreach (var segment in await engine.CloseGapsAsync(cancellationToken))
        {
            LogClosed(segment);
        }

        await engine.BackupAsync(cancellationToken);
        var findings = await ProveAsync(cancellationToken);
        var backups = await engine.BackupsAsync(cancellationToken);
        await SealAsync(list, backups, UnfinishedWork.Adding, cancellationToken);
        var known = before.Select(backup => backup.Label).ToHashSet(StringComparer.Ordinal);
        var made = backups.LastOrDefault(backup => !known.Contains(backup.Label))
            ?? throw new BackupException("pgBackRest ended well, but there is no new backup.");
        return made.IsProven
            ? made
            : throw new BackupException($"{made.Label} was made, but something is wrong with it: {Sentence(findings)}", ExitCodes.Refused);
    }

    /// <summary>Reads the whole repository, or what belongs to one backup, and finds what is not as it was.</summary>
    /// <param name="label">The backup; null for everything.</param>
    /// <param name="accept">
    /// Whether to make the list of hashes anew of what pgBackRest finds to be good: when the list was lost, or what was wrong has been dealt with.
    /// </param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<LastVerification> VerifyAsync(string? label, bool accept, CancellationToken cancellationToken)
    {
        using var taken = RepositoryLock.Take(_options.Directory);
        var list = accept ? ObjectList.New(_options.Directory, _options.PassPhrase) : await OpenAsync(cancellationToken);
        IReadOnlyList<BackupSet>? backups = null;
        var findings = new List<Finding>();
        try
        {
            backups = await engine.BackupsAsync(cancellationToken);
        }
        catch (BackupException e) when (!accept && label is null)
        {
            // Which objects are to blame, the list of hashes says.
            findings.Add(new Finding("repository", e.Message));
        }

        if (label is not null && backups!.All(backup => backup.Label != label))
        {
            throw new BackupException($"There is no backup {label}; 'backup list' shows those that there are.", ExitCodes.Usage);
        }

        findings.AddRange(engine.HasRepository ? await engine.VerifyAsync(label, cancellationToken) : [new("repository", "there is none")]);
        if (accept)
        {
            if (findings.Count == 0)
            {
                await SealAsync(list, backups!, UnfinishedWork.Adding, cancellationToken);
            }

            return Verified(new LastVerification(time.GetUtcNow(), list.Objects.Count, findings), label);
        }

        var (objects, fresh) = await CompareAsync(list, backups ?? [], label, findings, cancellationToken);
        if (findings.Count == 0)
        {
            // What came since the last time is good, by its own checksums.
            foreach (var path in fresh)
            {
                await list.AcceptAsync(path, cancellationToken);
            }

            list.Write();
        }
        else
        {
            await DisproveAsync(list, backups ?? [], findings, cancellationToken);
        }

        return Verified(new LastVerification(time.GetUtcNow(), objects, findings), label);
    }

    /// <summary>Removes what the policy does not keep.</summary>
    /// <param name="dryRun">Whether to say only what it would be.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="BackupException">Nothing may be removed now.</exception>
    public async Task<KeepPlan> ExpireAsync(bool dryRun, CancellationToken cancellationToken)
    {
        using var taken = RepositoryLock.Take(_options.Directory);
        var list = await OpenAsync(cancellationToken);
        var backups = await engine.BackupsAsync(cancellationToken);
        var plan = KeepPlan.Of(backups, _options.ToPolicy(), time.GetUtcNow());
        if (dryRun || backups.Count == 0)
        {
            return plan;
        }

        var newest = Removable(backups);
        if (plan.Removed.Count > 0 && await engine.VerifyAsync(newest.Label, cancellationToken) is { Count: > 0 } findings)
        {
            await DisproveAsync(list, backups, findings, cancellationToken);
            throw new BackupException($"Something is wrong with the newest backup, so nothing is removed: {Sentence(findings)}", ExitCodes.Refused);
        }

        foreach (var backup in plan.Removed)
        {
            if (backup == newest)
            {
                throw new InvalidOperationException($"The plan removes {backup.Label}, the newest backup that is proven.");
            }

            var removal = new UnfinishedWork([backup.Label], RemovesLog: false);
            removal.Begin(_options.Directory);
            await engine.RemoveAsync(backup.Label, cancellationToken);
            await SealAsync(list, await engine.BackupsAsync(cancellationToken), removal, cancellationToken);
            LogRemoved(backup.Label);
        }

        // What is missing now somebody else has removed; afterwards nobody could tell it from what the policy has.
        var there = list.Present().ToHashSet(StringComparer.Ordinal);
        if (list.Objects.Keys.FirstOrDefault(path => RepositoryPath.IsLog(path) && !there.Contains(path)) is { } missing)
        {
            throw new BackupException($"{missing} is missing, so nothing of the log is removed: 'backup verify' says more.", ExitCodes.Refused);
        }

        var ofLog = new UnfinishedWork([], RemovesLog: true);
        ofLog.Begin(_options.Directory);
        await engine.RemoveLogAsync(plan.FullsWithLog, cancellationToken);
        await SealAsync(list, await engine.BackupsAsync(cancellationToken), ofLog, cancellationToken);
        return plan;
    }

    /// <summary>
    /// Makes an existing repository ready for the database that runs, which may have been made anew. Does nothing when it is, or when there is none.
    /// </summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (!engine.HasRepository)
        {
            return;
        }

        using var taken = RepositoryLock.Take(_options.Directory);
        var list = await OpenAsync(cancellationToken);
        UnfinishedWork.Adding.Begin(_options.Directory);
        await engine.PrepareAsync(cancellationToken);
        await SealAsync(list, await engine.BackupsAsync(cancellationToken), UnfinishedWork.Adding, cancellationToken);
    }

    /// <summary>Archives what a failover left behind. Returns the segments.</summary>
    public async Task<IReadOnlyList<string>> CloseGapsAsync(CancellationToken cancellationToken)
    {
        using var taken = RepositoryLock.Take(_options.Directory);
        var closed = await engine.CloseGapsAsync(cancellationToken);
        foreach (var segment in closed)
        {
            LogClosed(segment);
        }

        return closed;
    }

    /// <summary>Does something that needs the repository to stay as it is.</summary>
    public async Task<T> UndisturbedAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        using var taken = RepositoryLock.Take(_options.Directory);
        return await work(cancellationToken);
    }

    /// <summary>Reads the list, and completes what an ended process left.</summary>
    private async Task<ObjectList> OpenAsync(CancellationToken cancellationToken)
    {
        var directory = _options.Directory;
        var unfinished = UnfinishedWork.Read(directory);
        if (unfinished is not null)
        {
            // Its changes have to be whole, or the list would lack some of them.
            RepositoryLock.NeedNoTool(directory);
        }

        var isNew = !File.Exists(ObjectList.FileOf(directory)) && (unfinished is not null || !engine.HasRepository);
        var list = isNew ? ObjectList.New(directory, _options.PassPhrase) : await ObjectList.ReadAsync(directory, _options.PassPhrase, cancellationToken);
        if (!engine.HasRepository && list.Objects.Count > 0)
        {
            throw new BackupException(
                $"The repository in {directory} is gone, or its disk is not there: the list of hashes knows {list.Objects.Count} objects of it. Bring it back, "
                + $"or remove {ObjectList.FileOf(directory)} to begin a new one.",
                ExitCodes.Refused);
        }

        if (unfinished is not null)
        {
            LogUnfinished();
            if (engine.HasRepository)
            {
                await SealAsync(list, await engine.BackupsAsync(cancellationToken), unfinished, cancellationToken);
            }
        }

        return list;
    }

    /// <summary>Verifies the backups of which nothing is known yet.</summary>
    private async Task<List<Finding>> ProveAsync(CancellationToken cancellationToken)
    {
        var all = new List<Finding>();
        foreach (var backup in (await engine.BackupsAsync(cancellationToken)).Where(backup => backup.Proof == BackupProof.None))
        {
            var findings = await engine.VerifyAsync(backup.Label, cancellationToken);
            await engine.MarkAsync(backup.Label, findings.Count == 0, cancellationToken);
            all.AddRange(findings);
            LogVerified(backup.Label, findings.Count);
        }

        return all;
    }

    /// <summary>Takes into the list what the work that was begun has changed, and nothing else.</summary>
    private async Task SealAsync(ObjectList list, IReadOnlyList<BackupSet> backups, UnfinishedWork work, CancellationToken cancellationToken)
    {
        var labels = backups.ToDictionary(backup => backup.Label, StringComparer.Ordinal);
        var present = list.Present().ToHashSet(StringComparer.Ordinal);
        foreach (var path in list.Objects.Keys.Where(path => !present.Contains(path)).ToList())
        {
            if ((RepositoryPath.LabelOf(path) is { } label && work.Removes.Contains(label) && !labels.ContainsKey(label))
                || (work.RemovesLog && RepositoryPath.IsLog(path)))
            {
                list.Forget(path);
            }
        }

        foreach (var path in present.Where(path => RepositoryPath.IsInfo(path) || !list.Objects.ContainsKey(path)))
        {
            // Of a backup that is not proven, nothing is known to be good.
            if (RepositoryPath.LabelOf(path) is not { } label || labels.GetValueOrDefault(label) is { IsProven: true })
            {
                await list.AcceptAsync(path, cancellationToken);
            }
        }

        list.Write();
        UnfinishedWork.End(_options.Directory);
    }

    /// <summary>Compares every object with the list. Returns how many there are, and which of the log are new.</summary>
    private static async Task<(int Objects, List<string> Fresh)> CompareAsync(
        ObjectList list, IReadOnlyList<BackupSet> backups, string? label, List<Finding> findings, CancellationToken cancellationToken)
    {
        var labels = backups.ToDictionary(backup => backup.Label, StringComparer.Ordinal);
        var fresh = new List<string>();
        var objects = 0;
        foreach (var (path, known) in list.Objects.Where(entry => IsAskedFor(entry.Key)))
        {
            objects++;
            var now = await list.HashAsync(path, cancellationToken);
            if (now is null)
            {
                findings.Add(new Finding(path, "is missing"));
            }
            else if (now != known)
            {
                findings.Add(new Finding(
                    path,
                    now.Length == known.Length ? "was changed"
                        : string.Create(CultureInfo.InvariantCulture, $"was changed: it has {now.Length} bytes instead of {known.Length}")));
            }
        }

        foreach (var path in list.Present().Where(path => !list.Objects.ContainsKey(path) && IsAskedFor(path)))
        {
            if (RepositoryPath.IsLog(path))
            {
                fresh.Add(path);
            }
            // What pgBackRest left of a backup that was ended half-way it goes on with, or removes, at the next one.
            else if (RepositoryPath.LabelOf(path) is not { } other || labels.GetValueOrDefault(other) is { IsProven: true })
            {
                findings.Add(new Finding(path, Finding.Added));
            }
        }

        return (objects + fresh.Count, fresh);

        bool IsAskedFor(string path) => label is null || RepositoryPath.LabelOf(path) == label || RepositoryPath.IsInfo(path);
    }

    /// <summary>Writes down with which backups something is wrong, so that they count for nothing from now on.</summary>
    private async Task DisproveAsync(
        ObjectList list, IReadOnlyList<BackupSet> backups, IReadOnlyList<Finding> findings, CancellationToken cancellationToken)
    {
        // Where the lists of backups were changed themselves, they are evidence, and not written to.
        var subjects = findings.Where(finding => finding.Fault != Finding.Added)
            .Select(finding => RepositoryPath.LabelOf(finding.Subject) ?? finding.Subject)
            .ToHashSet(StringComparer.Ordinal);
        var disproved = backups.Where(backup => backup.IsProven && subjects.Contains(backup.Label)).ToList();
        if (disproved.Count == 0 || subjects.Any(RepositoryPath.IsInfo))
        {
            return;
        }

        UnfinishedWork.Adding.Begin(_options.Directory);
        foreach (var backup in disproved)
        {
            await engine.MarkAsync(backup.Label, isProven: false, cancellationToken);
            LogDisproved(backup.Label);
        }

        foreach (var path in list.Present().Where(RepositoryPath.IsInfo))
        {
            await list.AcceptAsync(path, cancellationToken);
        }

        list.Write();
        UnfinishedWork.End(_options.Directory);
    }

    /// <summary>The newest proven backup, when something may be removed because of it.</summary>
    private BackupSet Removable(IReadOnlyList<BackupSet> backups)
    {
        var now = time.GetUtcNow();
        var newest = backups.LastOrDefault(backup => backup.IsProven)
            ?? throw new BackupException("There is no proven backup, so nothing is removed.", ExitCodes.Refused);
        return newest.Stop > now + Moments.ClockTolerance
            ? throw new BackupException(
                $"The newest backup is {newest.Label}, but by the clock it is {Moments.Text(now)}: nothing is removed while the clock is wrong.",
                ExitCodes.Refused)
            : now - newest.Stop > _options.MaxAge
                ? throw new BackupException(
                    $"The newest proven backup is {newest.Label}, more than {_options.MaxAge:c} old: nothing is removed until there is a new one.",
                    ExitCodes.Refused)
                : newest;
    }

    // A backup that cannot be whole would only take the space that the log needs.
    private void NeedSpace(IReadOnlyList<BackupSet> backups)
    {
        var needed = LeastFreeBytes + (backups.Count == 0 ? 0 : backups[^1].RepositoryBytes);
        var free = new DriveInfo(_options.Directory).AvailableFreeSpace;
        if (free < needed)
        {
            throw new BackupException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The disk of {_options.Directory} has {free >> 20} MiB free, but a backup needs about {needed >> 20}: none is begun."),
                ExitCodes.CannotCreate);
        }
    }

    private LastVerification Verified(LastVerification verification, string? label)
    {
        if (label is null)
        {
            verification.Write(_options.Directory);
        }

        return verification;
    }

    private static string Sentence(IReadOnlyList<Finding> findings) =>
        string.Join("; ", findings.Take(5).Select(finding => $"{finding.Subject}: {finding.Fault}")) + (findings.Count > 5 ? "; ..." : ".");

    [LoggerMessage(LogLevel.Information, "{Segment} of the log, which a failover left behind, is archived")]
    private partial void LogClosed(string segment);

    [LoggerMessage(LogLevel.Information, "{Label} is verified: {Findings} findings")]
    private partial void LogVerified(string label, int findings);

    [LoggerMessage(LogLevel.Information, "{Label} is removed: the policy does not keep it")]
    private partial void LogRemoved(string label);

    [LoggerMessage(LogLevel.Error, "Something is wrong with {Label}, which counts for nothing from now on")]
    private partial void LogDisproved(string label);

    [LoggerMessage(LogLevel.Warning, "A process that worked on the repository ended half-way; what it left is taken into account")]
    private partial void LogUnfinished();
}
