using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Repository;

namespace Platform.Backup.Copies;

/// <summary>
/// Reads all of a copy and compares it with the signed list of hashes: this machine's, or the copy's own when it is of no repository here. What is not as it
/// was is sent again by the next round; what somebody has added is left where it is.
/// </summary>
internal sealed partial class CopyVerifier(ICopyStore store, IOptions<BackupOptions> options, TimeProvider time, ILogger<CopyVerifier> logger)
{
    private const int AtOnce = 4;

    private readonly string _directory = options.Value.Directory;

    /// <summary>Compares.</summary>
    /// <param name="label">The backup; null for everything.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BackupException">The store does not answer, or there is no list to compare with.</exception>
    public async Task<CopyVerification> VerifyAsync(string? label, CancellationToken cancellationToken)
    {
        var before = await KnownAsync(cancellationToken);
        if (label is not null && !before.List.Objects.Keys.Concat(before.Sent).Any(path => RepositoryPath.LabelOf(path) == label))
        {
            throw new BackupException($"There is no proven backup {label}; 'backup list' shows those that there are.", ExitCodes.Usage);
        }

        var read = new ConcurrentDictionary<string, Read?>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(
            ListedAsync(label, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (path, token) => read[path] = await ReadAsync(path, token));
        // What was copied or removed meanwhile is as it should be when it is as the list says now.
        var after = await KnownAsync(cancellationToken);
        var findings = new List<Finding>();
        foreach (var (path, found) in read.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (found is not null && !CopyNames.IsOurs(path) && before.Of(path) != found.Hash && after.Of(path) != found.Hash)
            {
                var known = after.Of(path) ?? before.Of(path);
                // Of what is newer than the copy's own list only what was recorded with it is known.
                if (known is not null || after.IsLocal || found.Recorded != found.Hash.Hash || !RepositoryPath.IsOfRepository(path))
                {
                    findings.Add(new Finding(path, Fault(found, known, after.IsLocal)));
                }
            }
        }

        findings.AddRange(after.Sent.Where(path => (label is null || RepositoryPath.LabelOf(path) == label || RepositoryPath.IsInfo(path))
                && (!read.TryGetValue(path, out var found) || found is null) && before.Sent.Contains(path))
            .Order(StringComparer.Ordinal).Select(path => new Finding(path, "is missing")));
        if (label is not null && after.List.Objects.Keys.Any(path => RepositoryPath.LabelOf(path) == label && !after.Sent.Contains(path)))
        {
            findings.Add(new Finding(label, "is not copied yet"));
        }

        // Without it nothing is brought back.
        if (after.Its?.List is null)
        {
            findings.Add(new Finding(CopyNames.List, after.Its is null ? "is missing" : "was changed"));
        }

        var verification = new CopyVerification(time.GetUtcNow(), read.Count, findings);
        if (Directory.Exists(_directory))
        {
            if (label is null)
            {
                verification.Write(_directory);
            }

            SendAgain(findings);
        }

        return verification;
    }

    private static string Fault(Read found, ObjectHash? known, bool isLocal) =>
        known is null ? isLocal || found.Recorded is null || found.Recorded == found.Hash.Hash ? Finding.Added : "was changed"
        : found.Hash.Length == known.Length ? "was changed"
        : string.Create(CultureInfo.InvariantCulture, $"was changed: it has {found.Hash.Length} bytes instead of {known.Length}");

    private async IAsyncEnumerable<string> ListedAsync(
        string? label, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var found in store.ListAsync(cancellationToken))
        {
            if (label is null || RepositoryPath.LabelOf(found.Path) == label || RepositoryPath.IsInfo(found.Path))
            {
                yield return found.Path;
            }
        }
    }

    private async Task<Read?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        using var found = await store.OpenAsync(path, cancellationToken);
        return found is null ? null : new Read(await ReadAsync(path, found, copy: null, store, cancellationToken), found.Hash);
    }

    /// <summary>Reads an object to its end.</summary>
    /// <exception cref="BackupException">It could not be read so far.</exception>
    public static async Task<ObjectHash> ReadAsync(string path, OpenObject found, Stream? copy, ICopyStore store, CancellationToken cancellationToken)
    {
        try
        {
            return await ObjectHash.OfAsync(found.Content, copy, cancellationToken);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new BackupException($"{store.Place} did not give all of {path}: {e.Message}", ExitCodes.Unavailable, e);
        }
    }

    private async Task<Known> KnownAsync(CancellationToken cancellationToken)
    {
        if (File.Exists(ObjectList.FileOf(_directory)) && await CopyIdentity.IsOursAsync(store, _directory, cancellationToken))
        {
            var ledger = CopyLedger.Read(_directory);
            var list = await ObjectList.ReadAsync(_directory, options.Value.PassPhrase, cancellationToken);
            var found = await CopyFetch.FindListAsync(store, _directory, options.Value.PassPhrase, cancellationToken);
            return new Known(
                IsLocal: true,
                list,
                ledger.Objects.Where(entry => !entry.Value.IsSuspect).ToDictionary(entry => entry.Key, entry => entry.Value.Hash, StringComparer.Ordinal),
                found,
                // This machine may have lost its notes; what the copy's own list has was sent all the same.
                ledger.Objects.Keys.Where(RepositoryPath.IsOfRepository).Concat(found?.List?.Objects.Keys ?? []).ToHashSet(StringComparer.Ordinal));
        }

        var its = await CopyFetch.ReadListAsync(store, _directory, options.Value.PassPhrase, cancellationToken);
        return new Known(
            IsLocal: false, its, new Dictionary<string, ObjectHash>(StringComparer.Ordinal), new FoundList(its),
            its.Objects.Keys.ToHashSet(StringComparer.Ordinal));
    }

    private void SendAgain(List<Finding> findings)
    {
        if (findings.Count == 0)
        {
            return;
        }

        try
        {
            using var taken = RepositoryLock.TakeCopy(_directory);
            var ledger = CopyLedger.Read(_directory);
            foreach (var finding in findings.Where(finding => finding.Fault != Finding.Added
                && (RepositoryPath.IsOfRepository(finding.Subject) || finding.Subject == CopyNames.List)))
            {
                ledger.Set(finding.Subject, CopiedObject.Suspect);
            }

            ledger.Write();
        }
        catch (BackupException e) when (e.ExitCode == ExitCodes.Busy)
        {
            // What was found after all was read is told all the same.
            LogNotMarked(e.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "What was found is not marked to be sent again: {Reason}")]
    private partial void LogNotMarked(string reason);

    private sealed record Read(ObjectHash Hash, string? Recorded);

    /// <summary>
    /// What is known: of an object that the list has what the list says, of the newest of the log what was sent. Of the lists of backups and of the archive
    /// what was sent, too: they are written anew here all the time. What nothing is known of here is as the copy's own list says.
    /// </summary>
    private sealed record Known(bool IsLocal, ObjectList List, IReadOnlyDictionary<string, ObjectHash> Ledger, FoundList? Its, IReadOnlySet<string> Sent)
    {
        public ObjectHash? Of(string path)
        {
            var (here, sent, its) = (List.Objects.GetValueOrDefault(path), Ledger.GetValueOrDefault(path), Its?.List?.Objects.GetValueOrDefault(path));
            return RepositoryPath.IsInfo(path) ? sent ?? its ?? here : here ?? sent ?? its;
        }
    }
}
