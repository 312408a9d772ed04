using System.Globalization;
using Cronos;
using Platform.Backup.Policy;
using Xunit;

namespace Platform.Tests.Unit.Backup;

/// <summary>Which backups the policy keeps, against a model and over simulated months.</summary>
public sealed class KeepPlanTests
{
    private static readonly DateTimeOffset s_begin = new(2026, 1, 1, 2, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("UTC")]
    [InlineData("Europe/Berlin")]
    [InlineData("Pacific/Auckland")]
    public void Thirteen_months_of_daily_backups_leave_thirty_daily_and_twelve_monthly(string zone)
    {
        var policy = Policy(zone: zone);
        var kept = new List<BackupSet>();
        var now = s_begin;
        for (var end = s_begin.AddMonths(13); now < end; now = policy.Next(now)!.Value)
        {
            kept.Add(Backup(now));
            var plan = KeepPlan.Of(kept, policy, now.AddMinutes(5));
            kept = [.. plan.Kept.Select(keep => keep.Backup)];
            Assert.Equal(Backup(now).Label, plan.Kept[0].Backup.Label);
        }

        var last = KeepPlan.Of(kept, policy, now);
        Assert.Empty(last.Removed);
        Assert.Equal(30, last.Kept.Count(keep => keep.Reasons.Contains(KeepReason.Daily)));
        Assert.Equal(12, last.Kept.Count(keep => keep.Reasons.Contains(KeepReason.Monthly)));
        // The newest of this month and that of the last one are of the thirty days, too.
        Assert.All(last.Kept, keep => Assert.Contains(keep.Reasons, reason => reason is KeepReason.Daily or KeepReason.Monthly));
        Assert.True(last.FullsWithLog >= 8);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_choice_is_that_of_restic_as_it_is_documented(int seed)
    {
        var random = new Random(seed);
        for (var run = 0; run < 300; run++)
        {
            var (daily, monthly) = (random.Next(1, 40), random.Next(0, 15));
            var backups = Generate(random);
            var now = backups.Count == 0 ? s_begin : backups.Max(backup => backup.Stop).AddHours(1);
            var policy = Policy(daily, monthly, TimeSpan.Zero);
            var plan = KeepPlan.Of(backups, policy, now);
            Assert.Equal(Restic(backups, "yyyyMMdd", daily), Labels(plan, KeepReason.Daily));
            Assert.Equal(Restic(backups, "yyyyMM", monthly), Labels(plan, KeepReason.Monthly));
        }
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Whatever_the_policy_and_the_clock_say_what_is_needed_is_kept(int seed)
    {
        var random = new Random(seed);
        for (var run = 0; run < 500; run++)
        {
            var backups = Generate(random);
            var window = TimeSpan.FromHours(random.Next(0, 400));
            var policy = Policy(random.Next(1, 5), random.Next(0, 3), window);
            // Also a clock that jumped, both ways.
            var now = s_begin.AddHours(random.Next(-2000, 20_000));
            var plan = KeepPlan.Of(backups.OrderBy(_ => random.Next()), policy, now);

            Assert.Equal(
                backups.Select(backup => backup.Label).Order(StringComparer.Ordinal),
                plan.Kept.Select(keep => keep.Backup.Label).Concat(plan.Removed.Select(backup => backup.Label)).Order(StringComparer.Ordinal));
            var proven = backups.Where(backup => backup.IsProven).ToList();
            if (proven.Count > 0)
            {
                Assert.Contains(KeepReason.Newest, plan.Kept.Single(keep => keep.Backup == proven[^1]).Reasons);
            }

            // For every moment of the window after the first backup there is one to begin with.
            var kept = plan.Kept.Select(keep => keep.Backup).ToHashSet();
            foreach (var moment in Enumerable.Range(0, 20).Select(_ => now - window * random.NextDouble()))
            {
                Assert.True(
                    proven.LastOrDefault(backup => backup.Stop <= moment) is not { } begin || kept.Any(other => other.IsProven && other.Stop <= moment),
                    $"Nothing is left to restore {moment:u} from.");
            }

            Assert.All(plan.Removed, backup => Assert.True(backup.Start <= now));
            Assert.InRange(plan.FullsWithLog, (int)Math.Ceiling(window.TotalDays) + 1, int.MaxValue);
        }
    }

    [Fact]
    public void The_log_is_kept_from_where_the_window_begins()
    {
        var backups = Enumerable.Range(0, 40).Select(day => Backup(s_begin.AddDays(day))).ToList();
        var plan = KeepPlan.Of(backups, Policy(), backups[^1].Stop.AddMinutes(1));
        // Seven days, the one before them, and today's.
        Assert.Equal(8, plan.FullsWithLog);
        var twice = backups.SelectMany(backup => (BackupSet[])[backup, Backup(backup.Start.AddHours(1))]).ToList();
        Assert.Equal(15, KeepPlan.Of(twice, Policy(), twice[^1].Stop.AddMinutes(1)).FullsWithLog);
    }

    [Fact]
    public void What_is_not_proven_counts_for_nothing_and_goes_when_it_is_old()
    {
        BackupSet[] backups = [Backup(s_begin), Backup(s_begin.AddDays(1), BackupProof.Disproved), Backup(s_begin.AddDays(20), BackupProof.None)];
        var plan = KeepPlan.Of(backups, Policy(1, 0), s_begin.AddDays(21));
        Assert.Equal([backups[2].Label, backups[0].Label], plan.Kept.Select(keep => keep.Backup.Label));
        Assert.Equal([KeepReason.Young], plan.Kept[0].Reasons);
        Assert.Equal([backups[1]], plan.Removed);
    }

    [Fact]
    public void A_backup_is_due_once_for_what_was_missed_and_at_the_first_start()
    {
        var policy = Policy(zone: "Europe/Berlin");
        Assert.Equal(s_begin, policy.DueSince(null, s_begin));
        Assert.Null(policy.DueSince(new(2026, 3, 1, 1, 0, 5, TimeSpan.Zero), new(2026, 3, 2, 0, 59, 59, TimeSpan.Zero)));
        Assert.Equal(
            new DateTimeOffset(2026, 3, 2, 1, 0, 0, TimeSpan.Zero),
            policy.DueSince(new(2026, 3, 1, 1, 0, 5, TimeSpan.Zero), new(2026, 3, 9, 0, 0, 0, TimeSpan.Zero)));
        Assert.Null(policy.DueSince(new(2026, 3, 9, 1, 0, 0, TimeSpan.Zero), new(2026, 3, 9, 1, 0, 1, TimeSpan.Zero)));
        // On 29 March 2026 there is no 02:00 in Berlin; there is a backup that day all the same, and one a day in October.
        Assert.Equal(new DateTimeOffset(2026, 3, 29, 1, 0, 0, TimeSpan.Zero), policy.Next(new(2026, 3, 28, 1, 0, 0, TimeSpan.Zero)));
        Assert.Equal(new DateTimeOffset(2026, 10, 26, 1, 0, 0, TimeSpan.Zero), policy.Next(new(2026, 10, 25, 0, 0, 0, TimeSpan.Zero)));
        // A clock that went back: nothing is due before the newest backup.
        Assert.Null(policy.DueSince(new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)));
    }

    internal static BackupPolicy Policy(int daily = 30, int monthly = 12, TimeSpan? window = null, string zone = "UTC") =>
        new(CronExpression.Parse("0 2 * * *"), TimeZoneInfo.FindSystemTimeZoneById(zone), daily, monthly, window ?? TimeSpan.FromDays(7));

    internal static BackupSet Backup(DateTimeOffset start, BackupProof proof = BackupProof.Proven, string segment = "000000010000000000000003") => new(
        start.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture) + "F",
        start, start.AddSeconds(30), proof, 1000, 100, segment, segment, "18-1", IsCurrent: true);

    /// <summary>"For the last n days which have one or more snapshots, only keep the most recent one for each day."</summary>
    private static List<string> Restic(List<BackupSet> backups, string period, int count) =>
    [
        .. backups.Where(backup => backup.IsProven)
            .GroupBy(backup => backup.Start.UtcDateTime.ToString(period, CultureInfo.InvariantCulture))
            .OrderByDescending(group => group.Key, StringComparer.Ordinal)
            .Take(count)
            .Select(group => group.OrderBy(backup => backup.Start).Last().Label),
    ];

    private static IEnumerable<string> Labels(KeepPlan plan, KeepReason reason) =>
        plan.Kept.Where(keep => keep.Reasons.Contains(reason)).Select(keep => keep.Backup.Label);

    private static List<BackupSet> Generate(Random random)
    {
        var at = s_begin;
        return
        [
            .. Enumerable.Range(0, random.Next(0, 120)).Select(_ =>
            {
                at = at.AddMinutes(random.Next(2) == 0 ? random.Next(2, 600) : random.Next(600, 6000));
                return Backup(at, (BackupProof)Math.Max(1, random.Next(-2, 3)));
            }),
        ];
    }
}
