"""What runs cost at list price, from the billing figures in their activities' outputs."""

from tools_worker.datafactory.cost.bill import Bill, Usage, bill_of, usages
from tools_worker.datafactory.cost.prices import Prices, list_prices
from tools_worker.datafactory.cost.runs import RunBill, own_bills, tree_bill

__all__ = ["Bill", "Prices", "RunBill", "Usage", "bill_of", "list_prices", "own_bills", "tree_bill", "usages"]
