using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform.Api;
using Platform.Caching.Catalogue;
using Platform.Gateway.Settings;
using Platform.Mongo.Connections;
using Platform.Migrator.Commands;
using Platform.Seeder.Commands;
using Platform.ServiceDefaults;
using Xunit;

namespace Platform.Tests.Unit.ServiceDefaults;

/// <summary>The limits of all numbers and durations that can be set, in all programs: found by their types, so that none is forgotten.</summary>
public sealed class SettingLimitsTests
{
    // A timer takes no more than 2^32 - 2 milliseconds.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(49);

    public static TheoryData<string> Settings { get; } = [.. All().Select(setting => setting.Key)];

    [Fact]
    public void The_settings_of_all_programs_are_found() => Assert.Subset(
        All().Select(setting => setting.Key).ToHashSet(),
        new HashSet<string>
        {
            "Migrator:LeaseDuration", "Seeder:Writers", "Gateway:CursorTimeout", "Gateway:MaxConnectionsPerUser", "Cache:Jitter", "Health:Timeout",
            "Mongo:Retry:Deadline", "MongoTelemetry:SlowCommandThreshold",
        });

    [Theory]
    [MemberData(nameof(Settings))]
    public void A_number_or_duration_has_limits_and_beyond_them_is_told_by_its_key(string key)
    {
        var setting = All().Single(setting => setting.Key == key);
        var range = setting.Property.GetCustomAttribute<RangeAttribute>();
        Assert.True(range is not null, $"{key} has no [Range].");
        Assert.DoesNotContain(Mistakes(setting, value: null), mistake => mistake.StartsWith($"{key} ", StringComparison.Ordinal));
        foreach (var (value, isGood) in Values(range))
        {
            var mistakes = Mistakes(setting, value).Where(mistake => mistake.StartsWith($"{key} ", StringComparison.Ordinal)).ToList();
            Assert.True(mistakes.Count == 0 == isGood, $"{key} = {value}: {string.Join(' ', mistakes)}");
            Assert.True(
                isGood || mistakes[0].EndsWith($", but must be {SettingLimits.AllowedOf(setting.Property)}.", StringComparison.Ordinal),
                mistakes.FirstOrDefault());
        }
    }

    [Fact]
    public void Every_program_checks_its_limits()
    {
        var api = WebApplication.CreateBuilder(new WebApplicationOptions { ApplicationName = "api" });
        api.AddApi();
        using var apiHost = api.Services.BuildServiceProvider();
        using var migrator = MigratorJob.Create(quiet: true, json: false).BuildHost();
        using var seeder = SeederJob.Create(json: false).BuildHost();
        foreach (var setting in All().DistinctBy(setting => setting.Options).Where(setting => setting.Options != typeof(GatewayOptions)))
        {
            var programs = new[] { apiHost, migrator.Services, seeder.Services }
                .Where(services => services.GetServices(typeof(IConfigureOptions<>).MakeGenericType(setting.Options)).Any()).ToList();
            Assert.NotEmpty(programs);
            foreach (var services in programs)
            {
                var bad = With(setting, Values(setting.Property.GetCustomAttribute<RangeAttribute>()!).First(value => !value.IsGood).Value);
                var failures = services.GetServices(typeof(IValidateOptions<>).MakeGenericType(setting.Options)).SelectMany(validator =>
                    ((ValidateOptionsResult)validator!.GetType().GetMethod("Validate")!.Invoke(validator, [Options.DefaultName, bad])!).Failures ?? []);
                Assert.Contains(failures, failure => failure.StartsWith($"{setting.Key} is ", StringComparison.Ordinal));
            }
        }
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1.0)]
    public void What_is_no_number_of_documents_is_refused(double value) =>
        Assert.Single(SettingLimits.Mistakes(MigratorOptions.Section, new MigratorOptions { MaxDocumentsPerSecond = value }));

    private static IEnumerable<Setting> All() => new[]
    {
        typeof(ApiServices),
        typeof(CacheOptions),
        typeof(MongoOptions),
        typeof(GatewayOptions),
        typeof(MigratorOptions),
        typeof(SeederOptions),
        typeof(HealthEndpointOptions),
    }
        .SelectMany(type => type.Assembly.GetTypes())
        .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal))
        .SelectMany(type => type.GetField("Section", BindingFlags.Public | BindingFlags.Static)?.GetRawConstantValue() is string section
            ? Below(type, [], type, section)
            : []);

    private static IEnumerable<Setting> Below(Type options, PropertyInfo[] path, Type type, string section) => type.GetProperties().SelectMany(property =>
        SettingLimits.IsGroup(property.PropertyType) ? Below(options, [.. path, property], property.PropertyType, $"{section}:{property.Name}")
        : property.CanWrite
            && IsAmount(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) ? [new Setting(options, path, property, section)]
        : []);

    private static bool IsAmount(Type type) =>
        type == typeof(TimeSpan) || type == typeof(int) || type == typeof(long) || type == typeof(double) || type == typeof(decimal);

    private static IEnumerable<(object Value, bool IsGood)> Values(RangeAttribute range)
    {
        // Its limits may still be text.
        _ = range.IsValid(null);
        if (range.OperandType == typeof(TimeSpan))
        {
            var (least, most) = (
                TimeSpan.Parse(range.Minimum.ToString()!, CultureInfo.InvariantCulture),
                TimeSpan.Parse(range.Maximum.ToString()!, CultureInfo.InvariantCulture));
            Assert.True(least >= TimeSpan.Zero && most <= s_longest, $"{least} to {most} is more than a timer takes.");
            return
            [
                (least, true),
                (most, true),
                (least - TimeSpan.FromTicks(1), false),
                (most + TimeSpan.FromTicks(1), false),
                (TimeSpan.MaxValue, false),
                (TimeSpan.MinValue, false),
            ];
        }

        return range.Minimum is int first && range.Maximum is int last
            ? [(first, true), (last, true), (first - 1, false), (last + 1, false), (int.MaxValue, false), (int.MinValue, false)]
            : [(range.Minimum, true), (range.Maximum, true), (double.NaN, false), (double.PositiveInfinity, false), (double.MinValue, false)];
    }

    private static List<string> Mistakes(Setting setting, object? value) => [.. SettingLimits.Mistakes(setting.Root, With(setting, value))];

    // The settings as they are by default, but for one.
    private static object With(Setting setting, object? value)
    {
        var options = Activator.CreateInstance(setting.Options)!;
        if (value is not null)
        {
            setting.Property.SetValue(setting.Path.Aggregate(options, (group, property) => property.GetValue(group)!), value);
        }

        return options;
    }

    private sealed record Setting(Type Options, PropertyInfo[] Path, PropertyInfo Property, string Section)
    {
        public string Key => $"{Section}:{Property.Name}";

        public string Root => (string)Options.GetField("Section")!.GetRawConstantValue()!;
    }
}
