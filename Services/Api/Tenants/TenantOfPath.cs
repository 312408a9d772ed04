using System.ComponentModel;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Platform.Data.Documents;

namespace Platform.Api.Tenants;

/// <summary>The tenant that a request's path names, as <see cref="TenantFilter"/> found it.</summary>
internal readonly record struct TenantOfPath(
    // No doc comments, which would become descriptions of request bodies; attributes on the property, since the
    // framework fails to read descriptions from the parameters of a constructor.
    [property: FromRoute(Name = TenantFilter.Parameter), Description("The tenant's slug.")] string Slug,
    HttpContext Http)
{
    /// <summary>The tenant.</summary>
    public Tenant Tenant => Http.Features.GetRequiredFeature<Tenant>();

    /// <summary>The tenant's key.</summary>
    public MongoDB.Bson.ObjectId Id => Tenant.Id;
}
