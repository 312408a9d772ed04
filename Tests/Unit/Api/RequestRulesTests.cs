using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Platform.Api.Requests;
using Xunit;

namespace Platform.Tests.Unit.Api;

/// <summary>Requests are judged by the rules of the documents that they become: all of them, and every member.</summary>
public sealed class RequestRulesTests : IDisposable
{
    private readonly ApiFactory _api = new();

    public void Dispose() => _api.Dispose();

    [Fact]
    public void Every_member_of_every_body_that_the_api_takes_follows_a_rule_of_a_document()
    {
        var bodies = _api.Services.GetRequiredService<EndpointDataSource>().Endpoints
            .Select(endpoint => endpoint.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType).OfType<Type>().Distinct().ToList();
        var members = bodies.SelectMany(Members).Distinct().ToList();
        Assert.True(bodies.Count >= 1 && members.Count >= 5, $"only {members.Count} members of {bodies.Count} bodies were looked at");

        var followed = RequestValidators.Rules().Where(rule => rule.Origin is not null).Select(rule => (rule.Request, rule.Member)).ToHashSet();
        Assert.Empty(members.Except(followed));

        // Whatever changes something takes a body that is described, or none.
        var unknown = _api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Any(method => method is "POST" or "PUT" or "PATCH") == true
                && endpoint.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType is null);
        Assert.Empty(unknown.Select(endpoint => endpoint.RoutePattern.RawText));
    }

    private static IEnumerable<(string Request, string Member)> Members(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).SelectMany(property =>
        {
            var item = property.PropertyType.IsGenericType ? property.PropertyType.GenericTypeArguments[0] : property.PropertyType;
            return Members(item.Assembly == type.Assembly ? item : typeof(object)).Prepend((type.Name, JsonNamingPolicy.CamelCase.ConvertName(property.Name)));
        });
}
