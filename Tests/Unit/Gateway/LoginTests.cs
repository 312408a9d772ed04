using System.Net;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using Platform.Gateway.Authentication;
using Platform.Gateway.Errors;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

public sealed class LoginTests
{
    private static readonly IPAddress s_here = IPAddress.Parse("192.0.2.1");

    [Fact]
    public void Failed_logins_are_held_back_for_a_time_that_doubles_up_to_a_minute()
    {
        var time = new FakeTimeProvider();
        var throttle = new LoginThrottle(time);
        for (var i = 0; i < LoginThrottle.FreeFailures - 1; i++)
        {
            throttle.Failed("u", s_here);
        }

        Assert.Equal(TimeSpan.Zero, throttle.Remaining("u", s_here));
        foreach (var seconds in (ReadOnlySpan<int>)[1, 2, 4, 8, 16, 32, 60, 60])
        {
            throttle.Failed("u", s_here);
            Assert.Equal(TimeSpan.FromSeconds(seconds), throttle.Remaining("u", s_here));
            time.Advance(TimeSpan.FromSeconds(seconds));
            Assert.Equal(TimeSpan.Zero, throttle.Remaining("u", s_here));
        }
    }

    [Fact]
    public void A_success_clears_the_record_and_others_are_not_held_back()
    {
        var throttle = new LoginThrottle(new FakeTimeProvider());
        for (var i = 0; i < 10; i++)
        {
            throttle.Failed("u", s_here);
        }

        Assert.Equal(TimeSpan.Zero, throttle.Remaining("other", s_here));
        Assert.Equal(TimeSpan.Zero, throttle.Remaining("u", IPAddress.Parse("192.0.2.2")));
        throttle.Succeeded("u", s_here);
        Assert.Equal(TimeSpan.Zero, throttle.Remaining("u", s_here));
    }

    [Fact]
    public void An_address_that_tries_many_names_is_held_back_as_a_whole()
    {
        var throttle = new LoginThrottle(new FakeTimeProvider());
        for (var i = 0; i <= LoginThrottle.FreeFailuresOfAddress; i++)
        {
            throttle.Failed($"u{i}", s_here);
        }

        Assert.True(throttle.Remaining("never tried", s_here) > TimeSpan.Zero);
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
    [InlineData("['readAnyDatabase']", false)]
    [InlineData("[{ role: 'readWriteAnyDatabase', db: 'admin' }, 'clusterAdmin']", true)]
    [InlineData("['root']", true)]
    public void Two_sets_of_roles_are_known(string roles, bool all) => Assert.Equal(all, Roles.MeanAll(BsonDocument.Parse($"{{ r: {roles} }}")["r"]));

    [Theory]
    [InlineData("[]")]
    [InlineData("['readWriteAnyDatabase']")]
    [InlineData("[{ role: 'readWrite', db: 'shop' }]")]
    [InlineData("['readAnyDatabase', 'clusterAdmin']")]
    public void Other_sets_are_refused_and_the_error_names_the_choice(string roles) => Assert.Contains(
        "choose readAnyDatabase", Assert.Throws<CommandException>(() => Roles.MeanAll(BsonDocument.Parse($"{{ r: {roles} }}")["r"])).Message, StringComparison.Ordinal);
}
