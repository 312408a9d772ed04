using System.Text;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Platform.Api.Callers;
using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Api.Callers;

public sealed class CallerPageTests
{
    private static readonly string[] s_roles = [Roles.Reader, Roles.Orders, Roles.Admin];

    [Fact]
    public void The_page_on_the_API_shows_the_roles_of_each_endpoint_as_they_are()
    {
        using var factory = new ApiFactory();
        using var api = factory.CreateClient();
        var page = new StringBuilder($"| Endpoint | {string.Join(" | ", s_roles.Select(role => $"`{role}`"))} |\n| --- | --- | --- | --- |\n");
        var endpoints = from endpoint in factory.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
                        let roles = endpoint.Metadata.GetMetadata<EndpointRoles>()
                        where roles is not null
                        let path = endpoint.RoutePattern.RawText!.TrimEnd('/')
                        let method = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods[0]
                        orderby path, method
                        select (Line: $"| `{method} {path}` |", roles!.Names);
        foreach (var (line, names) in endpoints)
        {
            Assert.All(names, name => Assert.Contains(name, s_roles));
            page.Append(line).AppendJoin('|', s_roles.Select(role => names.Contains(role) ? " yes " : "  ")).Append("|\n");
        }

        GeneratedPage.CheckPart("api.md", "the endpoints", page.ToString());
    }
}
