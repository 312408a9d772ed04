using System.Net;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Authentication;
using Platform.Gateway.Errors;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

public sealed class LoginTests
{
    private static readonly IPAddress s_here = IPAddress.Parse("192.0.2.1");

    private static readonly IPAddress s_elsewhere = IPAddress.Parse("192.0.2.2");
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Failed_logins_are_held_back_for_a_time_that_doubles_up_to_a_minute()
    {
        var throttle = new LoginThrottle(_time);
        Fail(throttle, "u", LoginThrottle.FreeFailures);
        foreach (var seconds in (ReadOnlySpan<int>)[1, 2, 4, 8, 16, 32, 60, 60])
        {
            Assert.Equal(TimeSpan.FromSeconds(seconds), throttle.Begin("u", s_here));
            _time.Advance(TimeSpan.FromSeconds(seconds));
            Fail(throttle, "u", 1);
        }
    }

    [Fact]
    public void Of_many_attempts_at_once_no_more_are_checked_than_may_fail()
    {
        var throttle = new LoginThrottle(_time);
        Assert.Equal(LoginThrottle.FreeFailures, Enumerable.Range(0, 400).Count(_ => throttle.Begin("u", s_here) == TimeSpan.Zero));
        for (var i = 0; i < LoginThrottle.FreeFailures; i++)
        {
            throttle.Failed("u", s_here, exists: true);
        }

        Assert.True(throttle.Begin("u", s_here) > TimeSpan.Zero);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, Enumerable.Range(0, 400).Count(_ => throttle.Begin("u", s_here) == TimeSpan.Zero));
        // One that came to no result leaves its place.
        throttle.Abandoned("u", s_here);
        Assert.Equal(TimeSpan.Zero, throttle.Begin("u", s_here));
    }

    [Fact]
    public void Another_user_and_another_address_are_not_held_back()
    {
        var throttle = new LoginThrottle(_time);
        Fail(throttle, "u", LoginThrottle.FreeFailures);
        Assert.Equal(TimeSpan.Zero, throttle.Begin("other", s_here));
        Assert.Equal(TimeSpan.Zero, throttle.Begin("u", s_elsewhere));
    }

    [Fact]
    public void A_user_who_has_logged_in_from_an_address_is_never_refused_there()
    {
        var throttle = new LoginThrottle(_time);
        Assert.Equal(TimeSpan.Zero, throttle.Begin("api", s_here));
        throttle.Succeeded("api", s_here);
        for (var i = 0; i < 1_000; i++)
        {
            Assert.Equal(TimeSpan.Zero, throttle.Begin("api", s_here));
            throttle.Failed("api", s_here, exists: true);
        }

        Fail(throttle, "other", LoginThrottle.FreeFailures);
        Assert.Equal(TimeSpan.Zero, throttle.Begin("api", s_here));
        // From elsewhere the name is one like any other.
        for (var i = 0; i < LoginThrottle.FreeFailures; i++)
        {
            throttle.Begin("api", s_elsewhere);
            throttle.Failed("api", s_elsewhere, exists: true);
        }

        Assert.True(throttle.Begin("api", s_elsewhere) > TimeSpan.Zero);
    }

    [Fact]
    public void An_address_that_tries_many_users_is_held_back_as_a_whole_and_one_that_makes_names_up_is_not()
    {
        var throttle = new LoginThrottle(_time);
        for (var i = 0; i < 1_000; i++)
        {
            Assert.Equal(TimeSpan.Zero, throttle.Begin($"made up {i}", s_here));
            throttle.Failed($"made up {i}", s_here, exists: false);
        }

        Assert.Equal(TimeSpan.Zero, throttle.Begin("never tried", s_here));
        throttle.Abandoned("never tried", s_here);
        for (var i = 0; i < LoginThrottle.FreeFailuresOfAddress; i++)
        {
            Fail(throttle, $"u{i}", 1);
        }

        Assert.True(throttle.Begin("never tried", s_here) > TimeSpan.Zero);
        Assert.Equal(TimeSpan.Zero, throttle.Begin("never tried", s_elsewhere));
    }

    [Fact]
    public void Failures_are_forgotten_after_a_while()
    {
        var throttle = new LoginThrottle(_time);
        Fail(throttle, "u", LoginThrottle.FreeFailures - 1);
        _time.Advance(LoginThrottle.Memory + TimeSpan.FromSeconds(1));
        Fail(throttle, "u", 1);
        Assert.Equal(TimeSpan.Zero, throttle.Begin("u", s_here));
    }

    [Fact]
    public void Made_up_names_cost_a_bounded_memory()
    {
        var throttle = new LoginThrottle(_time);
        for (var i = 0; i < 20 * LoginThrottle.MostRecords; i++)
        {
            throttle.Begin($"made up {i}", s_here);
            throttle.Failed($"made up {i}", s_here, exists: false);
        }

        // One address, and the users that were met last.
        Assert.InRange(throttle.Remembered, 2, LoginThrottle.MostRecords + 1);
    }

    private static void Fail(LoginThrottle throttle, string user, int times)
    {
        for (var i = 0; i < times; i++)
        {
            Assert.Equal(TimeSpan.Zero, throttle.Begin(user, s_here));
            throttle.Failed(user, s_here, exists: true);
        }
    }

    [Theory]
    [InlineData("[]", "192.0.2.1", true)]
    [InlineData("[{ clientSource: ['192.0.2.0/24'] }]", "192.0.2.1", true)]
    [InlineData("[{ clientSource: ['192.0.2.0/24'] }]", "::ffff:192.0.2.1", true)]
    [InlineData("[{ clientSource: ['192.0.2.0/24'] }]", "192.0.3.1", false)]
    [InlineData("[{ clientSource: '192.0.2.1' }, { clientSource: ['2001:db8::/32'] }]", "2001:db8::5", true)]
    [InlineData("[{ clientSource: ['2001:db8::/32'] }]", "192.0.2.1", false)]
    public void Restrictions_are_compared_with_the_address(string restrictions, string address, bool allowed) =>
        Assert.Equal(allowed, AuthenticationRestrictions.Allow(BsonDocument.Parse($"{{ r: {restrictions} }}")["r"], IPAddress.Parse(address)));

    [Theory]
    [InlineData("['readAnyDatabase']", "readAnyDatabase@shop")]
    [InlineData("[{ role: 'readWrite', db: 'other' }, 'clusterAdmin', 'clusterAdmin']", "readWrite@other clusterAdmin@shop")]
    [InlineData("[]", "")]
    public void A_role_without_a_database_is_one_of_the_commands_own(string roles, string expected) =>
        Assert.Equal(expected, string.Join(' ', RoleName.ParseAll(BsonDocument.Parse($"{{ r: {roles} }}")["r"], "shop")));

    [Theory]
    [InlineData("'root'")]
    [InlineData("[1]")]
    [InlineData("[{ role: 'root' }]")]
    [InlineData("[{ role: 'root', db: 'admin', more: 1 }]")]
    [InlineData("[{ role: 1, db: 'admin' }]")]
    public void What_is_no_list_of_roles_is_refused(string roles) =>
        Assert.Throws<CommandException>(() => RoleName.ParseAll(BsonDocument.Parse($"{{ r: {roles} }}")["r"], "shop"));
}
